// The diagram of any machine as plain data: states and edges, in full or as an outline.
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export interface DiagramNode {
  /** The state's id in the machine, e.g. `node.up.publicApi.running`. */
  readonly id: string;
  /** The last part of the id. */
  readonly name: string;
  /** Null: the root of the machine. */
  readonly parent: string | null;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Whether it is its parent's initial state. */
  readonly initial: boolean;
  /** Actors that run while the state is active. */
  readonly invokes: readonly string[];
  readonly tags: readonly string[];
  readonly description: string | null;
  /** Events that it handles without a state change. */
  readonly reactions: readonly string[];
}

export interface DiagramEdge {
  /** Stable as long as the machine does not change. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** The event that triggers it, once for each guard that it represents. Empty: unlabeled. */
  readonly labels: readonly EdgeLabel[];
}

export interface EdgeLabel {
  /** `always`: taken as soon as its guard is true. `delay`: after a time. `done`, `error`: an invoked actor has ended. */
  readonly kind: 'command' | 'event' | 'always' | 'delay' | 'done' | 'error';
  /** Empty for `always`, which has only a guard. */
  readonly text: string;
  /** Null: unconditional. */
  readonly guard: string | null;
}

export interface Diagram {
  /** The machine's id. */
  readonly id: string;
  /** Parents before their children, siblings in the order of the machine. */
  readonly nodes: readonly DiagramNode[];
  readonly edges: readonly DiagramEdge[];
}

/** One transition of the machine to one target. */
interface Arrow extends EdgeLabel {
  readonly source: string;
  readonly target: string;
  /** The description in the machine, which labels the edge in the outline. */
  readonly words: string | null;
}

export interface DiagramOptions {
  /** Event types that are commands; they are marked as such. */
  readonly commands?: readonly string[];
}

/** The full diagram: every state, and every transition with its event and guard. */
export function fullDiagram(machine: AnyStateMachine, options: DiagramOptions = {}): Diagram {
  const nodes = statesOf(machine).map((state) => nodeOf(state, options));
  return {
    id: machine.id,
    nodes,
    edges: edgesOf(arrowsOf(machine, options), ({ kind, text, guard }) => ({ kind, text, guard })),
  };
}

/** Part of a diagram: one state with its descendants, and the outside states that are targets of their edges. */
export function partOf(diagram: Diagram, id: string): Diagram {
  const inside = (one: string) => one === id || one.startsWith(`${id}.`);
  const edges = diagram.edges.filter(({ source }) => inside(source));
  const targets = new Set(edges.map(({ target }) => target));
  const nodes = diagram.nodes.flatMap((node) => {
    if (node.id === id) return [{ ...node, parent: null }];
    if (inside(node.id)) return [node];
    return targets.has(node.id) ? [{ ...node, parent: id }] : [];
  });
  return { id, nodes, edges };
}

/**
 * The outline: states below `depth` are folded into their ancestor (the root has depth 0), transient states are skipped, and only
 * commands and transitions with a description are labeled.
 */
export function outline(machine: AnyStateMachine, options: DiagramOptions & { readonly depth: number }): Diagram {
  const shown = statesOf(machine).filter((state) => state.path.length <= options.depth && !isPassedOver(state));
  const nodes = shown.map((state) => folded(nodeOf(state, options), state.path.length === options.depth));
  const lift = (id: string) => [machine.id, ...machine.getStateNodeById(id).path.slice(0, options.depth)].join('.');
  const arrows = passOver(machine, arrowsOf(machine, options))
    .map((arrow) => ({ ...arrow, source: lift(arrow.source), target: lift(arrow.target) }))
    .filter(({ source, target, words }) => source !== target && (words !== null || !target.startsWith(`${source}.`)));
  const label = ({ kind, text, words }: Arrow) => ({
    kind,
    text: kind === 'command' ? text : (words ?? ''),
    guard: null,
  });
  return { id: machine.id, nodes, edges: edgesOf(arrows, label) };
}

/** The id of an edge in every diagram of its machine. `text`: that of its labels. */
export const edgeId = (source: string, target: string, text: string): string =>
  `${source} to ${target}${text && ` by ${text}`}`;

/** The `id` of a state's or an edge's element in a drawing: letters, digits, `-` and `_` only. */
export const elementId = (id: string): string => id.replace(/[^\w-]+/g, '-');

function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const withChildren = (state: AnyStateNode): AnyStateNode[] => [
    state,
    ...Object.values(state.states).flatMap(withChildren),
  ];
  return withChildren(machine.root);
}

const transitionsOf = (state: AnyStateNode): AnyTransitionDefinition[] => [
  ...[...state.transitions.values()].flat(),
  ...(state.always ?? []),
];

function nodeOf(state: AnyStateNode, options: DiagramOptions): DiagramNode {
  return {
    id: state.id,
    name: state.key,
    parent: state.parent?.id ?? null,
    kind: state.type,
    initial: state.parent?.initial?.target?.includes(state) ?? false,
    invokes: state.invoke.map(({ id }) => id),
    tags: state.tags,
    description: state.description ?? null,
    reactions: transitionsOf(state)
      .filter(({ target }) => target === undefined)
      .map((transition) => triggerOf(transition, options).text),
  };
}

const folded = (node: DiagramNode, leaf: boolean): DiagramNode => ({
  ...node,
  kind: leaf && node.kind !== 'final' ? 'atomic' : node.kind,
  invokes: [],
  reactions: [],
});

function arrowsOf(machine: AnyStateMachine, options: DiagramOptions): Arrow[] {
  return statesOf(machine).flatMap((state) =>
    transitionsOf(state).flatMap((transition) =>
      (transition.target ?? []).map((target) => ({
        source: state.id,
        target: (target as AnyStateNode).id,
        ...triggerOf(transition, options),
        guard: guardOf(transition.guard),
        words: transition.description ?? null,
      })),
    ),
  );
}

/** The trigger of a transition, as edges show it. `eventType`: from the machine, or the `type` of an event. */
export function triggerOf(
  { eventType }: Pick<AnyTransitionDefinition, 'eventType'>,
  { commands = [] }: DiagramOptions = {},
): Pick<Arrow, 'kind' | 'text'> {
  const [, inner, rest = ''] = /^xstate\.(done\.actor|error\.actor|done\.state|after)\.(.*)$/.exec(eventType) ?? [];
  if (eventType === '') return { kind: 'always', text: '' };
  if (inner === 'after') return { kind: 'delay', text: `after ${rest.slice(0, rest.indexOf('.'))}` };
  if (inner === 'error.actor') return { kind: 'error', text: `${rest} failed` };
  if (inner !== undefined) return { kind: 'done', text: `${rest} done` };
  return { kind: commands.includes(eventType) ? 'command' : 'event', text: eventType };
}

/** The name of a guard; for `and`, `or` and `not` the names within; dots for an anonymous function. */
function guardOf(guard: unknown): string | null {
  if (guard === undefined) return null;
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  const { name, guards = [] } = guard as { readonly name: string; readonly guards?: readonly unknown[] };
  if (name === 'not') return `not ${guards.map(guardOf).join()}`;
  return guards.map(guardOf).join(` ${name} `) || '…';
}

/** Whether a state is transient: it has an `always` without a guard. */
export const isPassedOver = (state: AnyStateNode): boolean =>
  state.type === 'atomic' && (state.always ?? []).some(({ guard }) => guard === undefined);

/** Joins the edges into a transient state with the edges out of it. */
function passOver(machine: AnyStateMachine, arrows: readonly Arrow[]): Arrow[] {
  const passing = new Set(
    statesOf(machine)
      .filter(isPassedOver)
      .map(({ id }) => id),
  );
  return arrows.flatMap((arrow) => {
    if (passing.has(arrow.source)) return [];
    if (!passing.has(arrow.target)) return [arrow];
    const onward = arrows.filter(({ source }) => source === arrow.target);
    return onward.map((out) => ({ ...arrow, target: out.target, words: out.words ?? arrow.words }));
  });
}

/** Between two states, one edge for each event. */
function edgesOf(arrows: readonly Arrow[], labelOf: (arrow: Arrow) => EdgeLabel): DiagramEdge[] {
  const edges = new Map<string, DiagramEdge>();
  for (const arrow of arrows) {
    const { source, target } = arrow;
    const label = labelOf(arrow);
    const id = edgeId(source, target, label.text);
    const known = edges.get(id)?.labels ?? [];
    const isNew = (label.text || label.guard) && !known.some((one) => one.guard === label.guard);
    edges.set(id, { id, source, target, labels: isNew ? [...known, label] : known });
  }
  return [...edges.values()];
}
