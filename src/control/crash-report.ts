// What is told of the last crash, of a public worker or of the control process itself, long after it.

export interface CrashReport {
  /** ISO 8601. Of a control process that could not say a last word: when it was last seen alive. */
  readonly at: string;
  readonly what: 'control' | 'worker';
  /** 0: it never had one. */
  readonly pid: number;
  /** One word for programs: a signal, `ExitCode1`, `Unresponsive`, `UncaughtError`, `Killed`, `MachineRestarted`. */
  readonly reason: string;
  /** For a person. */
  readonly message: string;
}
