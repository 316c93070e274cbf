// The pauses and periods of supervision that fit every installation. Tests set shorter ones.

/** In milliseconds. */
export interface SupervisionTimes {
  /** Pause before a server process that died is replaced; doubled with every death in a row. */
  readonly backoffMs: number;
  /** The longest such pause. */
  readonly maxBackoffMs: number;
  /** A process that stayed up this long ends the failure streak. */
  readonly steadyMs: number;
  /** How long after the last death the condition `WorkerCrashed` stands. */
  readonly calmMs: number;
  /** Pause before a process that could not join the open port tries again. */
  readonly rejoinMs: number;
}

export const supervisionTimes: SupervisionTimes = {
  backoffMs: 100,
  maxBackoffMs: 30_000,
  steadyMs: 10_000,
  calmMs: 300_000,
  rejoinMs: 1000,
};
