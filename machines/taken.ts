// Which edges of a diagram a running machine has just gone along, from the transitions that it says it took.
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { type Diagram, edgeId, isPassedOver } from './diagram.ts';

type Arrow = Pick<AnyTransitionDefinition, 'source' | 'target'>;

/**
 * Ids of the edges in the full diagram and, where it is given, of those in an outline of the same machine, in the order taken.
 * Transitions that lead nowhere have none.
 */
export function takenEdges(transitions: readonly Arrow[], outline?: Diagram): string[] {
  const steps = transitions.flatMap(({ source, target = [] }) =>
    (target as AnyStateNode[]).map((to): readonly [AnyStateNode, AnyStateNode] => [source, to]),
  );
  const taken = steps.map(([from, to]) => edgeId(from.id, to.id));
  if (outline) taken.push(...outlined(steps, outline));
  return [...new Set(taken)];
}

/** States that are left at once are not in an outline: what leads in and what leads out is one edge there. */
function outlined(steps: readonly (readonly [AnyStateNode, AnyStateNode])[], outline: Diagram): string[] {
  const shown = new Set(outline.nodes.map(({ id }) => id));
  const known = new Set(outline.edges.map(({ id }) => id));
  const begunAt = new Map<AnyStateNode, AnyStateNode>();
  const ids: string[] = [];
  for (const [from, to] of steps) {
    const start = begunAt.get(from) ?? from;
    if (isPassedOver(to)) begunAt.set(to, start);
    else ids.push(edgeId(lift(start, shown), lift(to, shown)));
  }
  return ids.filter((id) => known.has(id));
}

/** The state itself, or the one around it that is shown. */
function lift(state: AnyStateNode, shown: ReadonlySet<string>): string {
  return shown.has(state.id) || !state.parent ? state.id : lift(state.parent, shown);
}
