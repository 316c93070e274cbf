// Maps a running machine to its diagrams: the active states, and the edges just taken.
import { type AnyMachineSnapshot, type AnyStateNode, type AnyTransitionDefinition, getStateNodes } from 'xstate';
import { type Diagram, edgeId, isPassedOver, triggerOf } from './diagram.ts';

/** Ids of all active states, ancestors of folded states included. */
export const activeIds = ({ machine, value }: AnyMachineSnapshot): string[] => [
  ...new Set(getStateNodes(machine.root, value).map(({ id }) => id)),
];

type Arrow = Pick<AnyTransitionDefinition, 'source' | 'target' | 'eventType' | 'description'>;

/** One transition to one target, with its event and its description in the machine. */
interface Step {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode;
  readonly event: string;
  readonly words: string | undefined;
}

/**
 * Ids of the edges in the full diagram and, if given, in an outline of the same machine, in the order taken.
 * Transitions without a target have none.
 */
export function transitionTrace(transitions: readonly Arrow[], outline?: Diagram): string[] {
  const steps = transitions.flatMap((transition): Step[] =>
    ((transition.target ?? []) as AnyStateNode[]).map((to) => ({
      from: transition.source,
      to,
      event: triggerOf(transition).text,
      words: transition.description,
    })),
  );
  const taken = steps.map(({ from, to, event }) => edgeId(from.id, to.id, event));
  if (outline) taken.push(...outlined(steps, outline));
  return [...new Set(taken)];
}

/** Transient states are not in an outline: there, the edges into and out of one are a single edge. */
function outlined(steps: readonly Step[], outline: Diagram): string[] {
  const shown = new Set(outline.nodes.map(({ id }) => id));
  const known = new Set(outline.edges.map(({ id }) => id));
  const begunBy = new Map<AnyStateNode, Step>();
  const ids: string[] = [];
  for (const step of steps) {
    const begun = begunBy.get(step.from);
    const whole = begun ? { ...begun, to: step.to, words: step.words ?? begun.words } : step;
    if (isPassedOver(step.to)) begunBy.set(step.to, whole);
    else {
      const [source, target] = [lift(whole.from, shown), lift(whole.to, shown)];
      // Commands are labeled by name, all other edges by their description.
      ids.push(...[whole.event, whole.words ?? ''].map((text) => edgeId(source, target, text)));
    }
  }
  return ids.filter((id) => known.has(id));
}

/** The state itself, or its innermost ancestor in the outline. */
function lift(state: AnyStateNode, shown: ReadonlySet<string>): string {
  return shown.has(state.id) || !state.parent ? state.id : lift(state.parent, shown);
}
