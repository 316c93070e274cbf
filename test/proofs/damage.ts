// The proof that an index with damaged pages heals: random bytes in its file, while the node is down and while it runs.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Home, type RealNode } from '../support/harness.ts';
import { sampleOf } from '../support/random-commands.ts';
import { until } from '../support/until.ts';
import { Viewer } from '../support/viewer.ts';
import type { Finding, Say } from './proof.ts';

export interface DamageOptions {
  readonly rounds: number;
  readonly objects: number;
  readonly seed: number;
}

const pageBytes = 4096;
/** Before them are the two that are checked when the index is opened. */
const firstInnerPage = 2;

const spot = fc.record({
  /** Of all inner pages. */
  page: fc.noBias(fc.nat(999_999)),
  kind: fc.constantFrom('noise', 'zeros', 'some bytes', 'one bit', 'another page'),
  at: fc.noBias(fc.nat(pageBytes - 17)),
  noise: fc.uint8Array({ minLength: pageBytes, maxLength: pageBytes, size: 'max' }),
  other: fc.noBias(fc.nat(999_999)),
});
type Spot = typeof spot extends fc.Arbitrary<infer T> ? T : never;

const damages = fc.record({
  isRunning: fc.boolean(),
  spots: fc.array(spot, { minLength: 1, maxLength: 12, size: 'max' }),
});

interface Sums {
  healed: number;
  rebuilt: number;
  right: number;
  undecided: number;
  unknown: number;
  calls: number;
}

export async function proveDamage({ rounds, objects, seed }: DamageOptions, say: Say): Promise<Finding[]> {
  const ids = Array.from({ length: objects }, (_, index) => String(index + 1));
  const home = await Home.make({
    objects: Object.fromEntries(ids.map((id) => [id, contentOf(id)])),
    publicApi: { workers: 2 },
    // The clients below take all the processor time that they get.
    more: { logs: { console: { level: 'warn' } }, content: { niceness: 0, timeoutMs: 60_000 } },
  });
  const sums: Sums = { healed: 0, rebuilt: 0, right: 0, undecided: 0, unknown: 0, calls: 0 };
  const errors: string[] = [];
  let node: RealNode | undefined;
  try {
    node = await home.start();
    await hashed(node);
    for (let done = 0; done < rounds && errors.length === 0; done += 1) {
      const { isRunning, spots } = sampleOf(damages, seed + done);
      say(`round ${done + 1} (seed ${seed + done}), ${sums.rebuilt} rebuilt`);
      if (!isRunning) {
        node.signal('SIGTERM');
        await node.exited;
      }
      damage(join(home.statePath, 'index', 'data.mdb'), spots);
      if (!isRunning) node = await home.start();
      const before = node.log.length;
      errors.push(...(await heal(node, ids, sums)).map((error) => `seed ${seed + done}: ${error}`));
      if (/IndexRebuilt|is built again/.test(node.log.slice(isRunning ? before : 0))) sums.rebuilt += 1;
      sums.healed += 1;
      await hashed(node);
    }
  } catch (error) {
    errors.push(`${(error as Error).message}\n${node?.log.slice(-3000)}`);
  } finally {
    await node?.end();
    await home.remove();
  }
  return [
    {
      what: `damaged indexes (seed ${seed}), after which every object is served again`,
      figure: errors[0] ?? `${sums.healed} of ${rounds}, ${sums.rebuilt} rebuilt`,
      bar: 'all, and no other bytes',
      holds: errors.length === 0,
    },
    {
      what: 'answers: right, undecided, unknown',
      figure: `${sums.right}, ${sums.undecided}, ${sums.unknown}`,
      bar: '',
      holds: null,
    },
    { what: 'operator calls during it', figure: `${sums.calls} answered`, bar: 'all', holds: errors.length === 0 },
  ];
}

const contentOf = (id: string): string => `object ${id.padStart(8, '0')}`;

/** Every row has been written. */
const hashed = (node: RealNode): Promise<void> =>
  until(async () => {
    const { directory } = await node.state();
    return directory?.activity === 'idle' && directory.filesToHash === 0;
  });

function damage(path: string, spots: readonly Spot[]): void {
  const file = openSync(path, 'r+');
  try {
    const inner = Math.floor(fstatSync(file).size / pageBytes) - firstInnerPage;
    const pageAt = (number: number) => (firstInnerPage + (number % inner)) * pageBytes;
    for (const { page, kind, at, noise, other } of spots) {
      const bytes = Buffer.alloc(pageBytes);
      readSync(file, bytes, 0, pageBytes, pageAt(page));
      if (kind === 'noise') bytes.set(noise);
      if (kind === 'zeros') bytes.fill(0);
      if (kind === 'some bytes') bytes.set(noise.subarray(0, 16), at);
      if (kind === 'one bit') bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (other % 8)), at);
      if (kind === 'another page') readSync(file, bytes, 0, pageBytes, pageAt(other));
      writeSync(file, bytes, 0, pageBytes, pageAt(page));
    }
  } finally {
    closeSync(file);
  }
}

/** Asks for every object until all are served. @returns what went wrong */
async function heal(node: RealNode, ids: readonly string[], sums: Sums): Promise<string[]> {
  const errors: string[] = [];
  let isHealed = false;
  const operator = (async () => {
    while (!isHealed) {
      await node.state();
      sums.calls += 1;
    }
  })().catch((error: Error) => errors.push(`the operator API: ${error.message}`));
  try {
    await until(
      async () => {
        let missing = 0;
        let viewer = new Viewer(node.port);
        for (const id of ids) {
          try {
            const { status, body } = await viewer.get(`/api/v1/assets/${id}`);
            if (status === 200 && body.toString() !== contentOf(id)) errors.push(`${id} is ${body.toString()}`);
            if (status === 200) sums.right += 1;
            else missing += 1;
            if (status === 503) sums.undecided += 1;
            else if (status === 404) sums.unknown += 1;
            else if (status !== 200) errors.push(`${id} is answered ${status}`);
          } catch {
            // The server process died: another answers.
            missing += 1;
            viewer.leave();
            viewer = new Viewer(node.port);
          }
        }
        viewer.leave();
        return missing === 0 || errors.length > 0;
      },
      { limitMs: 120_000, seen: () => JSON.stringify(sums) },
    );
  } finally {
    isHealed = true;
    await operator;
  }
  return errors;
}
