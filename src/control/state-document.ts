// Builds the documents about the node: the state document, the outlook of a preview, and results of refused commands.
import { allowedCommands, desiredOf, type NodeSnapshot, settingsOf, statusOf } from '../../machines/judge.ts';
import type { DesiredState, Settings } from '../../machines/settings.ts';
import type { CrashReport, PublicSide } from '../supervisor/public-side.ts';
import type { Outlook, StateDocument, Version } from './node-control.ts';

/** Sources of the parts of the document that the machine does not know. */
export interface Surroundings {
  readonly id: string;
  readonly version: string;
  readonly publicSide: PublicSide;
  readonly endpoints: () => StateDocument['endpoints'];
  /** Ids of the buckets that this worker distributes according to the directory. */
  readonly bucketsOf: (workerId: number) => readonly string[];
  /** Left out: no crash is reported. */
  readonly lastCrash?: () => CrashReport | null;
}

export function stateDocument(
  snapshot: NodeSnapshot,
  { id, version, publicSide, endpoints, bucketsOf, lastCrash }: Surroundings,
  { startedAt, since, lameDuck, conditions }: Pick<StateDocument, 'startedAt' | 'since' | 'lameDuck' | 'conditions'>,
): StateDocument {
  const { record, drains } = snapshot.context;
  const { drain } = publicSide;
  const deadline = Math.max(...drains.map((one) => one.deadline));
  const { node, publicApi, generation, settings, effectiveBuckets, allowed } = outlookOf(snapshot, bucketsOf);
  return {
    id,
    version,
    startedAt,
    node,
    publicApi,
    since,
    generation,
    settings,
    effectiveBuckets,
    allowed,
    desired: {
      publicApi: desiredOf(snapshot).publicApi,
      overridden: Object.keys(record.changes) as (keyof DesiredState)[],
    },
    endpoints: endpoints(),
    lameDuck,
    drain: drain && Number.isFinite(deadline) ? { ...drain, deadline: new Date(deadline).toISOString() } : null,
    workers: publicSide.workers,
    lastCrash: lastCrash?.() ?? null,
    conditions,
  };
}

export function outlookOf(snapshot: NodeSnapshot, bucketsOf: Surroundings['bucketsOf']): Outlook {
  const settings = settingsOf(snapshot);
  return {
    ...statusOf(snapshot),
    generation: snapshot.context.record.generation,
    settings,
    effectiveBuckets: effectiveBuckets(settings, bucketsOf),
    allowed: allowedCommands(snapshot),
  };
}

function effectiveBuckets({ workerId, buckets }: Settings, bucketsOf: Surroundings['bucketsOf']): readonly string[] {
  if (buckets !== null) return buckets;
  return workerId === null ? [] : bucketsOf(workerId);
}

export const versionOf = (snapshot: NodeSnapshot): Version => ({
  generation: snapshot.context.record.generation,
  desired: desiredOf(snapshot),
});

const judgedIn = (snapshot: NodeSnapshot) => ({ state: statusOf(snapshot), allowed: allowedCommands(snapshot) });

export const refusal = (snapshot: NodeSnapshot, reason: string) => ({
  result: 'refused' as const,
  reason,
  ...judgedIn(snapshot),
});

export const movedOn = (snapshot: NodeSnapshot) => ({
  result: 'moved' as const,
  generation: snapshot.context.record.generation,
  ...judgedIn(snapshot),
});
