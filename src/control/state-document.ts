// Builds the documents about the node: the state document, the outlook of a preview, and results of refused commands.
import { allowedCommands, desiredOf, type NodeSnapshot, settingsOf, statusOf } from '../../machines/judge.ts';
import type { DesiredState, Settings } from '../../machines/settings.ts';
import type { ContentSide } from '../supervisor/content-side.ts';
import type { CrashReport, PublicSide } from '../supervisor/public-side.ts';
import type { Outlook, StateDocument, Version } from './node-control.ts';

/** Sources of the parts of the document that the machine does not know. */
export interface Surroundings {
  readonly id: string;
  readonly version: string;
  readonly publicSide: PublicSide;
  readonly endpoints: () => StateDocument['endpoints'];
  readonly contentSide: ContentSide;
  /** Left out: no crash is reported. */
  readonly lastCrash?: () => CrashReport | null;
}

export function stateDocument(
  snapshot: NodeSnapshot,
  { id, version, publicSide, contentSide, endpoints, lastCrash }: Surroundings,
  { startedAt, since, lameDuck, conditions }: Pick<StateDocument, 'startedAt' | 'since' | 'lameDuck' | 'conditions'>,
): StateDocument {
  const { record, drains } = snapshot.context;
  const { drain } = publicSide;
  const deadline = Math.max(...drains.map((one) => one.deadline));
  const { node, publicApi, generation, settings, effectiveBuckets, allowed } = outlookOf(snapshot, contentSide);
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
    directory: directoryOf(contentSide),
    lastCrash: lastCrash?.() ?? null,
    conditions,
  };
}

export function outlookOf(snapshot: NodeSnapshot, names: Pick<ContentSide, 'bucketsOf'>): Outlook {
  const settings = settingsOf(snapshot);
  return {
    ...statusOf(snapshot),
    generation: snapshot.context.record.generation,
    settings,
    effectiveBuckets: effectiveBuckets(settings, names),
    allowed: allowedCommands(snapshot),
  };
}

function effectiveBuckets({ workerId, buckets }: Settings, names: Pick<ContentSide, 'bucketsOf'>): readonly string[] {
  if (buckets !== null) return buckets;
  return workerId === null ? [] : (names.bucketsOf(workerId) ?? []);
}

function directoryOf({ status, pid }: ContentSide): StateDocument['directory'] {
  if (status === null) return null;
  const { objects, bags, readAt, progress } = status;
  return {
    pid,
    objects,
    bags,
    readAt: progress?.readAt ?? readAt,
    activity: progress?.activity ?? 'idle',
    bagsRead: progress?.bagsRead ?? null,
    objectsRead: progress?.objectsRead ?? null,
    filesToHash: progress?.filesToHash ?? 0,
    height: progress?.height ?? null,
    squidVersion: progress?.squidVersion ?? null,
  };
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
