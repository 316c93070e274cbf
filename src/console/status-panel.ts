// The state document on the page: settings, buckets, server processes, drain, conditions.
import { directoryWords } from '../client/directory-words.ts';
import { age } from './ages.ts';
import { byId, type Child, fill, h, setText } from './dom.ts';
import type { Model, State } from './model.ts';
import { bytesText, countText } from './numbers.ts';

/** Redraws a part only if its data has changed, so that selections and screen readers are not interrupted. */
export function statusPanel(): (model: Model) => void {
  const drawn = new Map<string, string>();
  const draw = (id: string, value: unknown, make: () => readonly Child[]): void => {
    const text = JSON.stringify(value ?? null);
    if (drawn.get(id) === text) return;
    drawn.set(id, text);
    fill(byId(id), ...make());
  };
  let mostLeft = 0;

  return ({ state, drain }) => {
    const { id, version, startedAt, since, generation, settings, desired, endpoints } = state ?? {};
    const { effectiveBuckets, lameDuck, lastCrash, directory } = state ?? {};
    draw('about', { id, version, startedAt }, () => aboutOf(state));
    const shown = { since, generation, settings, desired, endpoints, effectiveBuckets, lameDuck, lastCrash, directory };
    draw('settings', shown, () => settingsOf(state));
    draw('workers', state?.workers, () => workersOf(state));
    draw('conditions', state?.conditions, () => conditionsOf(state));
    mostLeft = drain === null ? 0 : Math.max(mostLeft, drain.bytesLeft);
    byId('drain-section').hidden = drain === null;
    draw('drain', drain, () => drainOf(drain, mostLeft));
  };
}

function aboutOf(state: State | null): Child[] {
  document.title = state === null ? 'Distributor node' : `${state.publicApi} · ${state.id}`;
  setText(byId('name'), state?.id ?? 'Distributor node');
  return state === null ? [] : [`version ${state.version}, up `, age(state.startedAt, 'for')];
}

const row = (term: string, ...value: readonly Child[]): HTMLElement =>
  h('div', {}, h('dt', {}, term), h('dd', {}, ...value));

const code = (text: string): HTMLElement => h('code', {}, text);

function settingsOf(state: State | null): Child[] {
  if (state === null) return [row('Settings', 'unknown')];
  const { settings, desired, endpoints, generation, since, effectiveBuckets, publicApi, lameDuck, lastCrash } = state;
  const { directory = null } = state;
  return [
    row('Public API', `${publicApi} `, age(since, 'for')),
    lameDuck && row('Lame duck', 'not ready, viewers are still served; the port closes ', age(lameDuck.until, 'in')),
    row('Target', desired.publicApi),
    row('Worker', settings.workerId === null ? 'unset' : String(settings.workerId)),
    row('Buckets', ...(settings.buckets === null ? ['all buckets of the worker'] : list(settings.buckets))),
    effectiveBuckets && row('Effective', ...(effectiveBuckets.length > 0 ? list(effectiveBuckets) : ['none'])),
    row('Directory', directoryWords(directory), ...(directory?.readAt ? ['; read ', age(directory.readAt)] : [])),
    row('Generation', String(generation)),
    row(
      'Overridden by commands',
      desired.overridden.length > 0 ? desired.overridden.join(', ') : 'nothing; all from the config',
    ),
    row('Public API at', code(endpoints.publicApi)),
    lastCrash && row('Last crash', age(lastCrash.at), `: ${lastCrash.message}`),
  ];
}

/** Long lists are collapsed: there can be thousands of buckets. */
function list(ids: readonly string[]): Child[] {
  const shown = 12;
  const some = ids.slice(0, shown).flatMap((id) => [code(id), ' ']);
  if (ids.length <= shown) return some;
  const rest = ids.slice(shown).flatMap((id) => [code(id), ' ']);
  return [
    ...some,
    h('details', {}, h('summary', {}, `and ${countText(ids.length - shown, 'more')}`.replace(/s$/, '')), ...rest),
  ];
}

function workersOf(state: State | null): Child[] {
  if (state === null) return [h('li', { class: 'none' }, 'Unknown.')];
  const { workers } = state;
  if (workers.length === 0) return [h('li', { class: 'none' }, 'No server process.')];
  return workers.map(({ pid, state: word }) =>
    h(
      'li',
      { 'data-is': word },
      h('span', { class: 'sign', 'aria-hidden': 'true' }),
      h('span', {}, word),
      h('span', { class: 'pid' }, `process ${pid}`),
    ),
  );
}

function conditionsOf(state: State | null): Child[] {
  if (state === null) return [h('li', { class: 'none' }, 'Unknown.')];
  const { conditions } = state;
  if (conditions.length === 0) return [h('li', { class: 'none' }, '✓ Nothing is wrong.')];
  return conditions.map(({ type, reason, severity, message, remedy, since }) =>
    h(
      'li',
      { class: 'condition', 'data-severity': severity },
      h('strong', {}, h('span', { class: 'sign', 'aria-hidden': 'true' }, '▲'), ` ${type}`),
      h('span', { class: 'reason' }, ` ${severity}, ${reason}, `, age(since)),
      h('p', {}, message),
      h('p', { class: 'remedy' }, remedy),
    ),
  );
}

function drainOf(drain: State['drain'], mostLeft: number): Child[] {
  if (drain === null) return [];
  const { connections, bytesLeft, deadline } = drain;
  return [
    h(
      'p',
      {},
      `${countText(connections, 'connection')}, ${bytesText(bytesLeft)} left; the rest is cut off `,
      age(deadline, 'in'),
      '.',
    ),
    h('progress', {
      max: Math.max(1, mostLeft),
      value: mostLeft - bytesLeft,
      'aria-label': 'Bytes sent since the stop',
    }),
  ];
}
