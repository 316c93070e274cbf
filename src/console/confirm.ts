// A confirmation dialog for commands that cannot be undone.
import { h } from './dom.ts';

/** Resolves with true if the operator confirms. Escape cancels; the Cancel button has the focus. */
export async function confirmed(question: string, words: string, yes: string): Promise<boolean> {
  const no = h('button', { type: 'button', class: 'plain' }, 'Cancel');
  const go = h('button', { type: 'button', class: 'grave' }, yes);
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'question', 'aria-describedby': 'question-words' },
    h('h2', { id: 'question' }, question),
    h('p', { id: 'question-words' }, words),
    h('div', { class: 'answers' }, no, go),
  );
  document.body.append(dialog);
  const answer = new Promise<boolean>((resolve) => {
    go.addEventListener('click', () => resolve(true));
    no.addEventListener('click', () => resolve(false));
    dialog.addEventListener('close', () => resolve(false));
  });
  dialog.showModal();
  no.focus();
  const result = await answer;
  dialog.close();
  dialog.remove();
  return result;
}
