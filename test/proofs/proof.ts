// What every proof hands back, how it is printed, and the exit code it comes to.

/** One line of the final table. */
export interface Finding {
  readonly what: string;
  readonly figure: string;
  /** What was promised. */
  readonly bar: string;
  /** Null: a figure without a bar. */
  readonly holds: boolean | null;
}

/** Called with what is being done now; later words replace earlier ones. */
export type Say = (progress: string) => void;

export type Proof = (say: Say) => Promise<readonly Finding[]>;

export const broken = (findings: readonly Finding[]): string[] =>
  findings.filter(({ holds }) => holds === false).map(({ what, figure, bar }) => `${what}: ${figure}, not ${bar}`);

/** Runs a long form from the command line; the exit code is 1 where a promise did not hold. */
export async function prove(proof: Proof): Promise<void> {
  const began = Date.now();
  const say: Say = (progress) => {
    const line = `${Math.round((Date.now() - began) / 1000)} s: ${progress}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const findings = await proof(say);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(tableOf(findings));
  const failures = broken(findings);
  console.log(failures.length === 0 ? 'Everything held.' : `Did not hold:\n  ${failures.join('\n  ')}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function tableOf(findings: readonly Finding[]): string {
  const rows = [
    ['what', 'figure', 'bar', ''],
    ...findings.map(({ what, figure, bar, holds }) => [
      what,
      figure,
      bar,
      holds === null ? '' : holds ? 'held' : 'BROKEN',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
