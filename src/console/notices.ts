// Whether the page is up to date: the connection status at the top, and the notice when it is stale.
import { byId, fill, h, setAttributes, setText } from './dom.ts';
import type { Model } from './model.ts';
import { durationText } from './numbers.ts';

interface Notice {
  readonly is: 'live' | 'waiting' | 'lost' | 'ended' | 'out';
  readonly sign: string;
  /** Null: no notice. */
  readonly words: string | null;
}

/** Metrics arrive every second: allow for a few late ones. */
const staleAfterMs = 4000;

/** @param retry called when the operator asks to reconnect now */
export function noticesPanel(retry: () => void): (model: Model) => void {
  const [sign, notice] = [byId('connection'), byId('notice')];
  const words = h('p', {});
  const ageText = h('p', { class: 'stale-age', 'aria-live': 'off' });
  const again = h('button', { type: 'button', class: 'plain' }, 'Reconnect now');
  again.addEventListener('click', retry);
  fill(notice, h('div', {}, words, ageText), again);

  /** Called on every change, and every second. */
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
      const words = `The node exited with code ${exitCode}. This page reconnects when the node is started again.`;
      return { is: 'ended', sign: 'Exited', words };
    }
    return { is: 'lost', sign: shown, words: `${shown}: ${connection.why}. This page reconnects automatically.` };
  }
  if (heardAtMs !== null && Date.now() - heardAtMs > staleAfterMs) {
    return { is: 'lost', sign: 'Out of date', words: 'Out of date: no data from the node.' };
  }
  return { is: 'live', sign: 'Live', words: null };
}

/** Changes every second, so it is excluded from the live region. */
function staleText({ connection, heardAtMs }: Model): string {
  const shown = heardAtMs === null ? '' : `The data shown is ${durationText(Date.now() - heardAtMs)} old.`;
  if (connection?.is !== 'lost') return shown;
  const left = Math.max(0, connection.retryAtMs - Date.now());
  return `${shown} ${left >= 500 ? `Next attempt in ${durationText(left)}.` : 'Connecting…'}`.trim();
}
