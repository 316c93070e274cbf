// The table of conditions: everything that can be wrong with a running node, one row per type. The browser imports it.

/** `critical`: viewers are not served, or an acknowledged change can be lost. `warning`: everything else. */
export type Severity = 'critical' | 'warning';

interface ConditionRow {
  /** One word for each cause. Null: how the process ended, as in `lastCrash`. */
  readonly reasons: readonly string[] | null;
  readonly severity: Severity;
  /** What is wrong, for the documentation. The message of a condition says it for the case. */
  readonly wrong: string;
  /** What the operator can do. */
  readonly remedy: string;
}

/** In the order of the documentation. */
export const conditionTable = {
  StateNotSaved: {
    reasons: ['WriteFailed'],
    severity: 'critical',
    wrong: 'The state file cannot be written. A restart would lose the changes since the last save. The node retries.',
    remedy: 'Free space, or repair the disk or the permissions of the state directory.',
  },
  StateFileCorrupt: {
    reasons: ['Corrupt'],
    severity: 'critical',
    wrong:
      'The state file could not be read. It was set aside, and the node started from its config with the public API stopped.',
    remedy: 'Check the settings, set them again if needed, then start-api.',
  },
  StateDirectoryReplaced: {
    reasons: ['Gone', 'Replaced'],
    severity: 'critical',
    wrong: 'The state directory is gone, or another one stands in its place.',
    remedy: 'Put the old directory back, or restart the node.',
  },
  PublicApiNotListening: {
    reasons: ['StartFailed'],
    severity: 'critical',
    wrong: 'The public port could not be opened at start, and should be open.',
    remedy: 'Fix the cause named in the message, often another process on the port, then start-api.',
  },
  NoWorkerServing: {
    reasons: ['AllWorkersLost'],
    severity: 'critical',
    wrong: 'The public API should be running, and no server process serves it. The node starts new ones.',
    remedy: 'Fix the cause named in the message and in the last crash.',
  },
  WorkerCrashed: {
    reasons: null,
    severity: 'warning',
    wrong: 'A server process died in the last minutes. It was replaced.',
    remedy: 'Look at the last crash and the log. SIGKILL often means that the machine ran out of memory.',
  },
  WorkerCrashLoop: {
    reasons: null,
    severity: 'critical',
    wrong: 'A server process died several times in a row. The pause before the next start grows.',
    remedy: 'Look at the last crash and the log, and fix the cause. The node keeps starting new processes.',
  },
  NothingDistributed: {
    reasons: ['NoWorker', 'NoBucket'],
    severity: 'critical',
    wrong: 'Neither worker nor buckets are set, or the worker has no bucket. Every object answers 421.',
    remedy: 'Use set-worker or set-buckets, or correct the catalogue.',
  },
  UnknownBuckets: {
    reasons: ['NotInDirectory'],
    severity: 'warning',
    wrong: 'The settings name buckets that the directory does not contain.',
    remedy: 'Correct the list with set-buckets, or wait until the directory contains them.',
  },
  NoDirectory: {
    reasons: ['NotConfigured'],
    severity: 'critical',
    wrong: 'The config names neither a catalogue nor a storage squid, so the node knows no object.',
    remedy: 'Set the config key catalogue or endpoints.storageSquid and restart the node.',
  },
  DirectoryNotRead: {
    reasons: ['FirstRead'],
    severity: 'critical',
    wrong: 'The directory has never been read completely. Requests for objects not yet known get 503.',
    remedy: 'If another condition says what prevents it, fix that first. Otherwise wait: state shows the progress.',
  },
  ContentCrashed: {
    reasons: null,
    severity: 'warning',
    wrong:
      'The content process died or was killed in the last few minutes. It was replaced; viewers were served throughout.',
    remedy: 'Look at the last crash and the log. SIGKILL often means that the machine ran out of memory.',
  },
  ContentCrashLoop: {
    reasons: null,
    severity: 'critical',
    wrong:
      'The content process died several times in a row. Viewers are served; changes to the directory go unnoticed.',
    remedy: 'Look at the last crash and the log, and fix the cause. The node keeps starting new processes.',
  },
  IndexRebuilt: {
    reasons: ['Damaged', 'OtherFormat', 'OtherDirectory'],
    severity: 'warning',
    wrong:
      'The index was damaged, or belonged to another format or directory. It was renamed, and a new one is being built.',
    remedy: 'None needed. Delete the renamed folder once you no longer need it.',
  },
  IndexUnusable: {
    reasons: ['CannotOpen'],
    severity: 'critical',
    wrong: 'The index cannot be opened or created. Objects cannot be served.',
    remedy: 'Put the state directory on a local file system with free space that supports memory mapping.',
  },
  IndexNotWritten: {
    reasons: ['IndexFull', 'DiskFull', 'WriteFailed'],
    severity: 'warning',
    wrong: 'The index cannot be written. The node serves what the index contains, and retries.',
    remedy: 'Free space, repair the disk, or raise store.maxIndexBytes.',
  },
  SquidUnreachable: {
    reasons: ['NoConnection', 'NoAnswer', 'BadAnswer', 'OtherSchema', 'QueryFailed'],
    severity: 'warning',
    wrong:
      'The storage squid cannot be queried, or its answer cannot be used. The node serves what it knows, and retries.',
    remedy: 'Check endpoints.storageSquid and the squid itself.',
  },
  SquidBehind: {
    reasons: ['LowerHeight', 'FewerObjects'],
    severity: 'warning',
    wrong: 'The storage squid knows less than before, as it does while re-indexing the chain. The node drops nothing.',
    remedy: 'Wait until the squid has caught up.',
  },
  SourceFailing: {
    reasons: ['NoAnswer', 'BadAnswer', 'WrongBytes', 'NotAllowed'],
    severity: 'warning',
    wrong: 'A source of objects fails or sends wrong bytes. It is avoided for a while.',
    remedy: 'Ask its operator. If the address is yours and private, set sources.allowPrivateAddresses.',
  },
  CacheNotWritten: {
    reasons: ['DiskFull', 'ReadOnly', 'WriteFailed'],
    severity: 'warning',
    wrong:
      'Copies cannot be written to the cache directory. Copies already there are served; other objects are passed through.',
    remedy: 'Free space, or repair the disk or the permissions of directories.assets.',
  },
  CatalogueInvalid: {
    reasons: ['Missing', 'Unreadable', 'Invalid'],
    severity: 'warning',
    wrong: 'The catalogue is missing, unreadable or wrong. The node serves the one it read before.',
    remedy: 'Correct the file. The node reads it again by itself.',
  },
  MissingFiles: {
    reasons: ['NoFile'],
    severity: 'warning',
    wrong: 'Files of the catalogue do not exist. Their objects answer 404.',
    remedy: 'Restore the files, or remove them from the catalogue.',
  },
  DamagedObjects: {
    reasons: ['NotAsStated'],
    severity: 'warning',
    wrong: 'Files differ from the size or hash that the catalogue states. Their objects answer 404.',
    remedy: 'Restore the files, or correct the catalogue.',
  },
  ShortSecret: {
    reasons: ['SecretTooShort'],
    severity: 'warning',
    wrong: 'The operator secret is shorter than 32 bytes.',
    remedy: 'Make a longer secret and restart the node. All tokens become invalid.',
  },
  AuditNotWritten: {
    reasons: ['WriteFailed'],
    severity: 'warning',
    wrong: 'The audit log cannot be written. Lines wait in memory; when that is full, they are lost.',
    remedy: 'Free space, or repair the disk.',
  },
  UsedTokensNotSaved: {
    reasons: ['WriteFailed'],
    severity: 'warning',
    wrong: 'Used request tokens cannot be written. After a restart they could be used again for up to five minutes.',
    remedy: 'Free space, or repair the disk.',
  },
  LogNotWritten: {
    reasons: ['NoAnswer', 'WriteFailed', 'NotTidied'],
    severity: 'warning',
    wrong: 'Log files cannot be written, or old ones cannot be removed.',
    remedy: 'Free space, or repair the disk or the permissions of the folder.',
  },
} as const satisfies Record<string, ConditionRow>;

type Table = typeof conditionTable;
export type ConditionType = keyof Table;
export const conditionTypes = Object.keys(conditionTable) as ConditionType[];

/** The reasons that a condition of this type can have. */
export type ReasonOf<T extends ConditionType> = Table[T]['reasons'] extends readonly (infer Word)[] ? Word : string;

/** Something that is wrong now. At most one condition of a type is raised at a time. */
export interface Condition {
  readonly type: ConditionType;
  readonly reason: string;
  readonly severity: Severity;
  /** For a person: what is wrong in this case. */
  readonly message: string;
  /** For a person: what to do. */
  readonly remedy: string;
}

/** A condition with the time at which it was first seen, ISO 8601. */
export type DatedCondition = Condition & { readonly since: string };

/** The only way to make a condition: its type and reason are in the table. */
export function condition<T extends ConditionType>(type: T, reason: ReasonOf<T>, message: string): Condition {
  const { severity, remedy } = conditionTable[type];
  return { type, reason: reason as string, severity, message, remedy };
}
