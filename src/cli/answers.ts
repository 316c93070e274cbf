// The answers of the operator API, those to dry runs too, in a few lines for people.
import type { CommandName } from '../../machines/commands.ts';
import type { ObjectLot } from '../../machines/coverage-change.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';
import { directoryWords } from '../client/directory-words.ts';
import type { Answer } from '../client/http-client.ts';
import type { Outlook, Preview, StateDocument } from '../control/node-control.ts';

type Members = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;

export function isStateDocument(document: unknown): document is StateDocument {
  return isObject(document) && 'node' in document && 'publicApi' in document && isObject(document.settings);
}

/** One line for a command that is done, and two for each condition. */
export function successLines(command: CommandName, state: StateDocument): string[] {
  return [`${command}: done. ${statusWords(state)}; ${settingsWords(state)}.`, ...warnings(state)];
}

export function stateLines(state: StateDocument): string[] {
  const { endpoints, workers, lameDuck, drain, allowed, desired, lastCrash } = state;
  const rows: [string, string][] = [
    ['version', `${state.version}, started ${state.startedAt}`],
    ['settings', `${settingsWords(state)} (generation ${state.generation})`],
    ['distributes', state.effectiveBuckets.length === 0 ? 'nothing' : `buckets ${shortList(state.effectiveBuckets)}`],
    ['target', `public API ${desired.publicApi}`],
    ['public API', endpoints.publicApi],
    ['operator API', endpoints.operatorApi ?? 'none'],
    ['workers', workers.map((worker) => `${worker.pid} ${worker.state}`).join(', ') || 'none'],
    ['directory', directoryText(state)],
    ['allowed', allowed.join(', ') || 'nothing'],
  ];
  if (lameDuck) rows.push(['lame duck', `not ready, viewers are served until ${lameDuck.until}`]);
  if (drain) {
    rows.push([
      'draining',
      `${drain.connections} connection${drain.connections === 1 ? '' : 's'}, ${drain.bytesLeft} bytes left, until ${drain.deadline}`,
    ]);
  }
  if (desired.overridden.length > 0) rows.push(['overridden', `${desired.overridden.join(', ')} (by commands)`]);
  if (lastCrash) rows.push(['last crash', `${lastCrash.at}, ${lastCrash.message}`]);
  const shown = rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`);
  return [`${state.id}: ${statusWords(state)}, since ${state.since}`, ...shown, ...warnings(state)];
}

function directoryText({ directory = null }: Partial<Pick<StateDocument, 'directory'>>): string {
  const read = directory === null || directory.readAt === null ? '' : `, last read completely at ${directory.readAt}`;
  return `${directoryWords(directory)}${read}`;
}

export const statusWords = ({ node, publicApi }: { readonly node?: unknown; readonly publicApi?: unknown }): string =>
  `node ${node === 'running' ? 'running' : 'shutting down'}, public API ${publicApi}`;

export function settingsWords({ settings: { workerId, buckets } }: Pick<StateDocument, 'settings'>): string {
  const worker = workerId === null ? 'no worker' : `worker ${workerId}`;
  if (buckets === null) return `${worker}, all its buckets`;
  return `${worker}, buckets ${shortList(buckets)}`;
}

export function shortList(ids: readonly string[]): string {
  const rest = ids.length > 8 ? ` and ${ids.length - 8} more` : '';
  return `${ids.slice(0, 8).join(' ')}${rest}`;
}

const warnings = ({ conditions = [] }: StateDocument): string[] => conditions.flatMap((it) => conditionLines(it));

/** Without a time, as in a dry run: no severity and no remedy either. */
export function conditionLines(condition: Condition & Partial<DatedCondition>): string[] {
  const { type, severity, message, remedy, since } = condition;
  const [first, ...others] = message.split('\n');
  return [
    `! ${type}${since === undefined ? '' : ` (${severity}, since ${since})`}: ${first}`,
    ...others.map((line) => `  ${line}`),
    ...(since === undefined ? [] : [`  What to do: ${remedy}`]),
  ];
}

export const isPreview = (document: unknown): document is Preview =>
  isObject(document) && document.dryRun === true && isObject(document.before) && isObject(document.after);

export function previewLines({ command, before, after, objects, objectsUnknown, conditions }: Preview): string[] {
  const rows = [
    row('state', statusWords(before), statusWords(after)),
    row('settings', settingsWords(before), settingsWords(after)),
    row('distributes', bucketWords(before), bucketWords(after)),
    row('generation', String(before.generation), String(after.generation)),
    ...(objects ? [`  ${'drops'.padEnd(14)}${lotWords(objects.dropped)}`] : []),
    ...(objects ? [`  ${'gains'.padEnd(14)}${lotWords(objects.gained)}`] : []),
    ...(objectsUnknown ? [`  ${'objects'.padEnd(14)}not known: ${objectsUnknown}`] : []),
    ...conditions.flatMap((it) => conditionLines(it)),
  ];
  return [`${command}: would succeed. This is a dry run: nothing has changed.`, ...rows];
}

const row = (name: string, before: string, after: string): string =>
  `  ${name.padEnd(14)}${before === after ? `${before} (unchanged)` : `${before} → ${after}`}`;

const bucketWords = ({ effectiveBuckets: ids }: Outlook): string =>
  ids.length === 0 ? 'nothing' : `buckets ${shortList(ids)}`;

function lotWords({ count, bytes, sizeUnknown, ids }: ObjectLot): string {
  if (count === 0) return 'nothing';
  const unknown = sizeUnknown > 0 ? ` and ${sizeUnknown} of unknown size` : '';
  const more = count > ids.length ? ` and ${count - ids.length} more` : '';
  return `${count} object${count === 1 ? '' : 's'}, ${bytes} bytes${unknown}: ${ids.join(' ')}${more}`;
}

/** Why the node refused, and what to do next. */
export function problemLines({ status, document }: Answer, from: { url: string; secretFrom: string }): string[] {
  const problem = isObject(document) ? document : {};
  const { detail, message, title, errors, state, allowed } = problem;
  const shown = Array.isArray(errors) ? errors.filter(isObject).filter((error) => error.message !== detail) : [];
  return [
    `${status} ${detail ?? message ?? title ?? '(the answer gives no reason)'}`,
    ...shown.map((error) => `  ${error.path || 'the body'}: ${error.message}`),
    ...(isObject(state) ? [`Now: ${statusWords(state)}.`] : []),
    ...(Array.isArray(allowed) ? [`Legal now: ${allowed.join(', ') || 'nothing'}.`] : []),
    ...hintFor(status, from),
  ];
}

/** The server at this URL is not a node. */
export const strangerText = ({ status }: Answer, { url }: { url: string }): string =>
  `The server at ${url} (status ${status}) is not the operator API of a node: check --url`;

function hintFor(status: number, { url, secretFrom }: { url: string; secretFrom: string }): string[] {
  if (status === 401)
    return [`The token was signed with the secret from ${secretFrom}: is it the secret of the node at ${url}?`];
  if (status === 403)
    return [`If ${url} is another name of the node, add it to operatorApi.allowedHosts in the config of the node.`];
  if (status === 404) return [`Check that ${url} is the operator API of a node of this version.`];
  return status >= 500 ? ['See the log of the node for details.'] : [];
}
