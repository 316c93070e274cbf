// Checks that some one-after-another order of the commands explains all their answers, and keeps what was answered before
// something else was asked (linearizability; the search of Wing and Gong with the memory of Lowe).
import type { Command, CommandName } from '../../machines/commands.ts';
import { desiredOf, judge, type NodeSnapshot, type NodeStatus, settingsOf, statusOf } from '../../machines/judge.ts';
import type { DesiredState, Settings } from '../../machines/settings.ts';
import { advance, afterSteps, keyOf } from './model.ts';

/** What an answer said of the node; members that it did not say are not checked. */
export interface SeenState extends Partial<NodeStatus> {
  readonly settings?: Settings;
  readonly generation?: number;
  /** What the public API should be. */
  readonly wanted?: DesiredState['publicApi'];
}

export interface Answer {
  readonly status: number;
  /** The `detail` of a refusal. */
  readonly reason?: string;
  readonly state?: SeenState;
}

/** One request, by any clock that all of the history goes by. A `read` is a `GET state`. */
export interface Operation {
  readonly command: Command | { readonly type: 'read' };
  readonly invokedAt: number;
  /** Null: never answered (a lost connection); it may have been carried out or not. */
  readonly answeredAt: number | null;
  readonly answer: Answer | null;
  /** Where it was sent ahead on a connection with others: which connection, and the how manieth on it. */
  readonly sent?: Sent;
}

export interface Sent {
  readonly connection: number;
  readonly place: number;
}

/** What all of the history goes by. */
interface World {
  readonly faults: boolean;
  /** When the first shutdown was asked for; infinity: never. */
  readonly shutdownAt: number;
}

export interface Explanation {
  readonly explained: boolean;
  /** Indexes into the history: an order that explains it, or the longest beginning of one that was found. */
  readonly order: readonly number[];
}

/**
 * @param start a settled state, the one before the first operation
 * @param history in any order
 * @param options.faults whether ports may fail: only then is a 500 explained
 */
export function explain(
  start: NodeSnapshot,
  answers: readonly Operation[],
  { faults = false }: { readonly faults?: boolean } = {},
): Explanation {
  const parts = answers.flatMap((operation, index) => apart(operation).map((part) => ({ part, index })));
  const history = parts.map(({ part }) => part);
  const shutdowns = history.filter(({ command }) => command.type === 'shutdown').map(({ invokedAt }) => invokedAt);
  const world: World = { faults, shutdownAt: Math.min(...shutdowns) };
  const tried = new Set<string>();
  let longest: readonly number[] = [];

  const search = (state: NodeSnapshot, left: readonly number[], order: readonly number[]): readonly number[] | null => {
    if (order.length > longest.length) longest = order;
    if (left.every((index) => history[index]?.answer === null)) return order;
    const key = `${left.join()} ${modelKey(state)}`;
    if (tried.has(key)) return null;
    tried.add(key);
    const choices = mayBeNext(history, left).map((index) => ({
      index,
      nexts: explanations(state, history[index], world),
    }));
    const take = (index: number, next: NodeSnapshot) =>
      search(
        next,
        left.filter((other) => other !== index),
        [...order, index],
      );
    // What changes nothing can as well be explained at once: nothing later depends on it.
    for (const { index, nexts } of choices)
      if (history[index]?.answer && nexts.includes(state)) return take(index, state);
    for (const { index, nexts } of choices)
      for (const next of nexts) {
        const found = take(index, next);
        if (found) return found;
      }
    return null;
  };

  const order = search(start, [...history.keys()], []);
  const indexes = (order ?? longest).map((at) => parts[at]?.index ?? at);
  // One that was taken apart is explained when its last part is.
  const missing = new Set(
    [...parts.keys()].filter((at) => !(order ?? longest).includes(at)).map((at) => parts[at]?.index),
  );
  const whole = [...new Set(indexes)].filter((index) => order !== null || !missing.has(index));
  return { explained: order !== null, order: whole };
}

/**
 * A shutdown overtakes what is under way, and is answered only after that has ended: others have seen it begin by then. So
 * what its 200 says of the node is taken for a look of its own, at some moment of the same request.
 */
function apart(operation: Operation): Operation[] {
  if (operation.command.type !== 'shutdown' || operation.answer?.status !== 200) return [operation];
  return [
    { ...operation, answer: { status: 200 } },
    { ...operation, command: { type: 'read' } },
  ];
}

/** Nothing comes before what had been answered when it was asked, nor before what was sent ahead of it. */
function mayBeNext(history: readonly Operation[], left: readonly number[]): number[] {
  const firstAnswer = Math.min(...left.map((index) => history[index]?.answeredAt ?? Number.POSITIVE_INFINITY));
  const ordered = left.map((index) => history[index]).filter((one) => one?.sent && one.command.type !== 'read');
  return left.filter((index) => {
    const { invokedAt = 0, sent, command } = history[index] ?? {};
    if (invokedAt > firstAnswer) return false;
    // A read never waits, and a shutdown overtakes.
    if (!sent || command?.type === 'read' || command?.type === 'shutdown') return true;
    return !ordered.some((one) => one?.sent?.connection === sent.connection && one.sent.place < sent.place);
  });
}

/** The states that the model may be in after this operation, if it was answered truly. */
function explanations(state: NodeSnapshot, operation: Operation | undefined, world: World): NodeSnapshot[] {
  if (!operation) return [];
  const { command, answer } = operation;
  if (command.type === 'read') return answer === null || agrees(state, answer.state) ? [state] : [];
  const judgement = judge(state, command);
  if (answer === null) return judgement.legal ? [result(state, command), state] : [state];
  if (answer.status === 409) {
    const isTrue = !judgement.legal && answer.reason === judgement.reason && agrees(state, answer.state);
    return isTrue ? [state] : [];
  }
  if (!judgement.legal) return [];
  if (answer.status === 500) return world.faults && mayFail(command.type) ? [state] : [];
  if (answer.status !== 200) return [];
  const carried = result(state, command);
  const next = modelKey(carried) === modelKey(state) ? state : carried;
  return agrees(next, saidByIts(operation, world)) ? [next] : [];
}

/** A shutdown overtakes: a command that was under way may be answered by a node that is already shutting down. */
function saidByIts({ answer, answeredAt }: Operation, { shutdownAt }: World): SeenState | undefined {
  const { state } = answer ?? {};
  if (state?.node !== 'shuttingDown' || shutdownAt >= Number(answeredAt)) return state;
  const { node: _, publicApi: __, ...rest } = state;
  return rest;
}

/** A stop and a shutdown are carried out, saved or not. */
const mayFail = (name: CommandName): boolean => name !== 'stop-api' && name !== 'shutdown';

/** A node that is shutting down takes settings until it has answered every request; how it exits is not observed. */
const result = (state: NodeSnapshot, command: Command): NodeSnapshot => afterSteps(advance(state, command).state);

/** What later operations depend on. */
const modelKey = (state: NodeSnapshot): string => keyOf(state) + JSON.stringify(wordsOf(state));

const wordsOf = (state: NodeSnapshot) => ({
  ...statusOf(state),
  settings: settingsOf(state),
  generation: state.context.record.generation,
  wanted: desiredOf(state).publicApi,
});

/**
 * Whether the answer's words are those of this state. One that shows a step under way, which the model does not have, is
 * believed in all but whether the node is shutting down.
 */
function agrees(state: NodeSnapshot, seen: SeenState = {}): boolean {
  const model = wordsOf(state);
  if (seen.node !== undefined && seen.node !== model.node) return false;
  if (seen.publicApi === 'starting' || seen.publicApi === 'stopping') return true;
  return (
    (seen.publicApi === undefined || seen.publicApi === model.publicApi) &&
    (seen.generation === undefined || seen.generation === model.generation) &&
    (seen.wanted === undefined || seen.wanted === model.wanted) &&
    (seen.settings === undefined ||
      JSON.stringify(orderless(seen.settings)) === JSON.stringify(orderless(model.settings)))
  );
}

const orderless = ({ workerId, buckets }: Settings) => ({ workerId, buckets: buckets && [...buckets].sort() });
