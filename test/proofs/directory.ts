// The proof that a kill mixes no versions of the directory: of the content process or the node, during imports, syncs and commands.
import { Dice } from './dice.ts';
import type { ChangingDirectory } from './directory-answers.ts';
import { ChangingCatalogue } from './directory-catalogue.ts';
import { noSums, runRounds, type Sums } from './directory-rounds.ts';
import { ChangingSquid } from './directory-squid.ts';
import type { Finding, Say } from './proof.ts';

export const directoryKinds = ['yaml', 'ndjson', 'squid'] as const;
export type DirectoryKind = (typeof directoryKinds)[number];

export interface DirectoryOptions {
  /** Of each kind of directory. */
  readonly rounds: number;
  readonly kinds: readonly DirectoryKind[];
  /** In a catalogue; a squid has as many bags as a tenth. */
  readonly objects: number;
  /** Files of 32 MiB that never change. */
  readonly bigFiles: number;
  readonly seed: number;
  /** Whether growth is judged; a few rounds say nothing. */
  readonly judged: boolean;
}

export async function proveDirectory(options: DirectoryOptions, say: Say): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const kind of options.kinds) {
    const dice = new Dice(options.seed);
    const sums = noSums();
    const errors = await runRounds(makeDirectory(kind, options, dice), options.rounds, dice, sums, say);
    findings.push(...findingsOf(kind, sums, errors, options));
  }
  return findings;
}

function makeDirectory(kind: DirectoryKind, options: DirectoryOptions, dice: Dice): ChangingDirectory {
  if (kind === 'squid') return new ChangingSquid({ bags: Math.ceil(options.objects / 10) }, dice);
  return new ChangingCatalogue(kind === 'yaml' ? 'yml' : 'ndjson', options, dice);
}

function findingsOf(kind: DirectoryKind, sums: Sums, errors: readonly string[], options: DirectoryOptions): Finding[] {
  const { contentKills, nodeKills, answers, counts, failed, commands, unanswered } = sums;
  const kills = `${contentKills} kills of the content process, ${nodeKills} of the node (seed ${options.seed})`;
  const words = Object.entries(counts).map(([word, number]) => `${word} ${number}`);
  const note = (what: string, figure: string): Finding => ({ what: `${kind}: ${what}`, figure, bar: '', holds: null });
  return [
    {
      what: `${kind}: ${kills}`,
      figure: errors[0] ?? `${answers} answers, ${commands} commands: each true, none lost`,
      bar: 'old or new, nothing lost, nothing read twice',
      holds: errors.length === 0,
    },
    note('answers by word', words.join(', ')),
    note('requests that failed while the node was down, commands without an answer', `${failed}, ${unanswered}`),
    ...(kind === 'squid' ? [] : [note('most read by one content process', megabytes(sums.mostReadBytes))]),
    growth(`${kind}: index on disk, first and second half`, sums.indexBytes, options.judged),
    growth(`${kind}: largest process, first and second half`, sums.residentBytes, options.judged),
  ];
}

/** Most of the second half of the rounds, compared with the first. */
function growth(what: string, bytes: readonly number[], judged: boolean): Finding {
  const half = Math.ceil(bytes.length / 2);
  const [first, second] = [Math.max(0, ...bytes.slice(0, half)), Math.max(0, ...bytes.slice(half))];
  const figure = `${megabytes(first)}, ${megabytes(second)}`;
  return { what, figure, bar: '≤ 1.3×', holds: judged ? second <= 1.3 * first : null };
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
