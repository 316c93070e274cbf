// The sign-in form: one field for the secret or an access token, cleared once read and never stored.
import { type Credentials, canSign, credentialsFrom, isToken, NotUsable } from './credentials.ts';
import { byId, setAttributes, setText } from './dom.ts';

export interface SignIn {
  /** Show the form, with an error if there is one. */
  open(error: string | null): void;
  close(): void;
}

export function signIn(onSignedIn: (credentials: Credentials) => void): SignIn {
  const section = byId('sign-in');
  const form = byId('sign-in-form') as HTMLFormElement;
  const pasted = byId('pasted') as HTMLInputElement;
  const who = byId('who') as HTMLInputElement;
  const [hint, errorText] = [byId('pasted-hint'), byId('pasted-error')];

  function showError(text: string | null): void {
    setText(errorText, text ?? '');
    setAttributes(pasted, { 'aria-invalid': text === null ? null : 'true' });
  }

  pasted.addEventListener('input', () => {
    setText(hint, hintFor(pasted.value));
    showError(null);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = pasted.value;
    credentialsFrom(text, who.value).then(
      (credentials) => {
        pasted.value = '';
        showError(null);
        onSignedIn(credentials);
      },
      (error: unknown) => {
        showError(error instanceof NotUsable ? error.message : 'The browser could not use this secret.');
        pasted.focus();
      },
    );
  });
  setText(hint, hintFor(''));

  return {
    open(why) {
      section.hidden = false;
      setText(hint, hintFor(''));
      showError(why);
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
      ? 'The secret never leaves this page: it signs each request here and is dropped when the page is closed.'
      : 'This page was loaded over plain HTTP from another machine: use an access token, the secret cannot be used here.';
  }
  return isToken(text.trim())
    ? 'This is an access token: it is sent with each request.'
    : 'Treated as the secret: it stays on this page and signs each request here.';
}
