// Signing in: one field for the secret or an access token, cleared as soon as it has been read, kept nowhere.
import { type Credentials, canSign, credentialsFrom, isToken, NotUsable } from './credentials.ts';
import { byId, setAttributes, setText } from './dom.ts';

export interface SignIn {
  /** Ask for it, with what is wrong if something is. */
  open(condition: string | null): void;
  close(): void;
}

export function signIn(onSignedIn: (credentials: Credentials) => void): SignIn {
  const section = byId('sign-in');
  const form = byId('sign-in-form') as HTMLFormElement;
  const pasted = byId('pasted') as HTMLInputElement;
  const who = byId('who') as HTMLInputElement;
  const [hint, condition] = [byId('pasted-hint'), byId('pasted-condition')];

  function complain(text: string | null): void {
    setText(condition, text ?? '');
    setAttributes(pasted, { 'aria-invalid': text === null ? null : 'true' });
  }

  pasted.addEventListener('input', () => {
    setText(hint, hintFor(pasted.value));
    complain(null);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = pasted.value;
    credentialsFrom(text, who.value).then(
      (credentials) => {
        pasted.value = '';
        complain(null);
        onSignedIn(credentials);
      },
      (error: unknown) => {
        complain(error instanceof NotUsable ? error.message : 'This browser could not take it.');
        pasted.focus();
      },
    );
  });
  setText(hint, hintFor(''));

  return {
    open(why) {
      section.hidden = false;
      setText(hint, hintFor(''));
      complain(why);
      pasted.focus();
    },
    close() {
      section.hidden = true;
    },
  };
}

function hintFor(text: string): string {
  if (text.trim() === '') {
    return canSign()
      ? 'The secret never leaves this page: it signs each request here, and is forgotten when the page is closed.'
      : 'This page has come over plain HTTP from another machine: only an access token can be used here, not the secret.';
  }
  return isToken(text.trim())
    ? 'This is an access token: it is sent along with each request.'
    : 'Taken as the secret: it stays on this page and signs each request here.';
}
