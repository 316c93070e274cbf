// Desired state: the operator's settings, how commands change them, and which objects they cover.
import type { SettingsCommand } from './commands.ts';

/** The settings that commands can change while the node runs. */
export interface Settings {
  /** The operator's number in the directory; null: unset. */
  readonly workerId: number | null;
  /** Bucket ids to distribute; null: all buckets of the worker. */
  readonly buckets: readonly string[] | null;
}

export interface DesiredState extends Settings {
  readonly publicApi: 'running' | 'stopped';
}

/** The record on disk: only what commands have changed; everything else comes from the config file. */
export interface DesiredRecord {
  /** Increments with every change of the desired state. */
  readonly generation: number;
  readonly changes: Readonly<Partial<DesiredState>>;
}

export const emptyRecord: DesiredRecord = { generation: 0, changes: {} };

/** The config, overridden by the recorded changes. */
export function desiredState(config: DesiredState, record: DesiredRecord): DesiredState {
  return { ...config, ...record.changes };
}

/** The record after a change; `generation` increments only if the resulting desired state differs. */
export function changeRecord(
  config: DesiredState,
  record: DesiredRecord,
  change: Partial<DesiredState>,
): DesiredRecord {
  const before = desiredState(config, record);
  const changes = { ...record.changes, ...change };
  const after = { ...config, ...changes };
  const generation = sameDesiredState(before, after) ? record.generation : record.generation + 1;
  return { generation, changes };
}

/** The change that a settings command requests. Buckets are a set: duplicates are dropped, the order is kept. */
export function settingsChange(command: SettingsCommand): Partial<Settings> {
  if (command.type === 'set-worker') return { workerId: command.workerId };
  return { buckets: command.buckets ? [...new Set(command.buckets)] : null };
}

/** The command that requests such a change. */
export const settingsCommandOf = (change: Partial<Settings>): SettingsCommand['type'] =>
  'workerId' in change ? 'set-worker' : 'set-buckets';

/** Whether two desired states are equal; the order of buckets is irrelevant. */
export function sameDesiredState(a: DesiredState, b: DesiredState): boolean {
  return a.publicApi === b.publicApi && a.workerId === b.workerId && sameSet(a.buckets, b.buckets);
}

function sameSet(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  const members = new Set(a);
  return members.size === new Set(b).size && b.every((id) => members.has(id));
}

/**
 * Returns a predicate on an object's bucket ids: whether these settings cover the object.
 * @param workersOf the workers that actively distribute a bucket
 */
export function coverage(
  settings: Settings,
  workersOf: (bucketId: string) => readonly number[],
): (objectBuckets: readonly string[]) => boolean {
  const { buckets, workerId } = settings;
  if (buckets !== null) {
    const chosen = new Set(buckets);
    return (objectBuckets) => objectBuckets.some((id) => chosen.has(id));
  }
  if (workerId !== null) return (objectBuckets) => objectBuckets.some((id) => workersOf(id).includes(workerId));
  return () => false;
}
