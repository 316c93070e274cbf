// Desired state: what the operator wants of the node, how commands change it, and which buckets it covers.
import type { SettingsCommand } from './commands.ts';

/** What the operator may change while the node runs. */
export interface Settings {
  /** The operator's number in the directory; null: unset. */
  readonly workerId: number | null;
  /** Bucket ids to distribute; null: all buckets of the worker. */
  readonly buckets: readonly string[] | null;
}

export interface DesiredState extends Settings {
  readonly publicApi: 'running' | 'stopped';
}

/** What is kept on disk: only what commands have changed; the rest stays with the config file. */
export interface DesiredRecord {
  /** Rises by one with every change of desired state. */
  readonly generation: number;
  readonly changes: Readonly<Partial<DesiredState>>;
}

export const emptyRecord: DesiredRecord = { generation: 0, changes: {} };

/** The config's wishes with the recorded changes laid over them. */
export function desiredState(config: DesiredState, record: DesiredRecord): DesiredState {
  return { ...config, ...record.changes };
}

/** The record after a change; `generation` rises only where the resulting desired state differs. */
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

/** The change a settings command asks for. Buckets are a set: duplicates are dropped, the order of first naming stays. */
export function settingsChange(command: SettingsCommand): Partial<Settings> {
  if (command.type === 'set-worker') return { workerId: command.workerId };
  return { buckets: command.buckets ? [...new Set(command.buckets)] : null };
}

/** The command that asks for such a change. */
export const settingsCommandOf = (change: Partial<Settings>): SettingsCommand['type'] =>
  'workerId' in change ? 'set-worker' : 'set-buckets';

/** Whether two desired states mean the same; the order of buckets has no meaning. */
export function sameDesiredState(a: DesiredState, b: DesiredState): boolean {
  return a.publicApi === b.publicApi && a.workerId === b.workerId && sameSet(a.buckets, b.buckets);
}

function sameSet(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  const members = new Set(a);
  return members.size === new Set(b).size && b.every((id) => members.has(id));
}

/**
 * Which objects these settings cover, as a test to be asked of an object's bucket ids.
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
