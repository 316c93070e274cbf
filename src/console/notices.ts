// Whether what the page shows is true now: the sign at the top, and the notice when it is not.
import { byId, fill, h, setAttributes, setText } from './dom.ts';
import type { Model } from './model.ts';
import { durationText } from './numbers.ts';

interface Notice {
  readonly is: 'live' | 'waiting' | 'lost' | 'ended' | 'out';
  readonly sign: string;
  /** Null: there is nothing more to say. */
  readonly words: string | null;
}

/** A second without anything is nothing; metrics come every second. */
const staleAfterMs = 4000;

/** @param retry the operator does not want to wait for the next try */
export function noticesPanel(retry: () => void): (model: Model) => void {
  const [sign, notice] = [byId('connection'), byId('notice')];
  const words = h('p', {});
  const ageText = h('p', { class: 'stale-age', 'aria-live': 'off' });
  const again = h('button', { type: 'button', class: 'plain' }, 'Try now');
  again.addEventListener('click', retry);
  fill(notice, h('div', {}, words, ageText), again);

  /** Called with every change, and every second. */
  return (model) => {
    const { is, sign: text, words: more } = noticeOf(model);
    setText(sign, text);
    setAttributes(document.documentElement, { 'data-connection': is });
    notice.hidden = more === null;
    setText(words, more ?? '');
    setText(ageText, more === null ? '' : staleText(model));
    again.hidden = model.connection?.is !== 'lost';
  };
}

function noticeOf({ connection, heardAtMs, state, exitCode }: Model): Notice {
  if (connection === null || connection.is === 'refused') return { is: 'out', sign: 'Not signed in', words: null };
  if (connection.is === 'connecting') return { is: 'waiting', sign: 'Connecting…', words: null };
  if (connection.is === 'lost') {
    const shown = state === null ? 'Not connected' : 'Out of date';
    if (exitCode !== null) {
      const words = `The node has ended with exit code ${exitCode}. This page connects again by itself once it has been started.`;
      return { is: 'ended', sign: 'Ended', words };
    }
    return { is: 'lost', sign: shown, words: `${shown}: ${connection.why}. This page connects again by itself.` };
  }
  if (heardAtMs !== null && Date.now() - heardAtMs > staleAfterMs) {
    return { is: 'lost', sign: 'Out of date', words: 'Out of date: nothing is heard from the node.' };
  }
  return { is: 'live', sign: 'Live', words: null };
}

/** It changes every second: to be seen, not to be read out each time. */
function staleText({ connection, heardAtMs }: Model): string {
  const shown = heardAtMs === null ? '' : `What is shown is ${durationText(Date.now() - heardAtMs)} old.`;
  if (connection?.is !== 'lost') return shown;
  const left = Math.max(0, connection.retryAtMs - Date.now());
  return `${shown} ${left >= 500 ? `Next try in ${durationText(left)}.` : 'Trying…'}`.trim();
}
