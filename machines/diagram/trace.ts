// Where a running machine is in its diagrams, and which edges it has just gone along.
import { type AnyMachineSnapshot, type AnyStateNode, type AnyTransitionDefinition, getStateNodes } from 'xstate';
import { type Diagram, edgeId, isPassedOver, triggerOf } from './diagram.ts';

/** The ids of all active states, to be lit. States that a diagram has folded away are in the one that holds them. */
export const activeIds = ({ machine, value }: AnyMachineSnapshot): string[] => [
  ...new Set(getStateNodes(machine.root, value).map(({ id }) => id)),
];

type Arrow = Pick<AnyTransitionDefinition, 'source' | 'target' | 'eventType' | 'description'>;

/** One transition to one target: what set it off, and the machine's words for it. */
interface Step {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode;
  readonly event: string;
  readonly words: string | undefined;
}

/**
 * Ids of the edges in the full diagram and, where it is given, of those in an outline of the same machine, in the order taken.
 * Transitions that lead nowhere have none.
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

/** States that are left at once are not in an outline: what leads in and what leads out is one edge there. */
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
      // Commands are named by themselves, all else by the words that the machine has for it.
      ids.push(...[whole.event, whole.words ?? ''].map((text) => edgeId(source, target, text)));
    }
  }
  return ids.filter((id) => known.has(id));
}

/** The state itself, or the one around it that is shown. */
function lift(state: AnyStateNode, shown: ReadonlySet<string>): string {
  return shown.has(state.id) || !state.parent ? state.id : lift(state.parent, shown);
}
