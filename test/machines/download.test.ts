// The download machine: what holds in every state, every simple path walked by a running machine, and whole printed runs.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { type AnyStateNode, createActor, fromPromise, getNextTransitions, waitFor } from 'xstate';
import { downloadMachine, maxSetbacks } from '../../machines/download.ts';
import {
  advanceDownload,
  type DownloadSnapshot,
  type DownloadStep,
  downloadKey,
  downloadSteps,
  initialDownload,
  objectBytes,
  stageOf,
} from '../support/download-model.ts';

interface Found {
  readonly state: DownloadSnapshot;
  /** The way there. */
  readonly path: readonly DownloadStep[];
}

function everyState(): Found[] {
  const seen = new Map<string, Found>();
  const queue: Found[] = [{ state: initialDownload(), path: [] }];
  for (let found = queue.shift(); found; found = queue.shift()) {
    const { state, path } = found;
    if (seen.has(downloadKey(state))) continue;
    seen.set(downloadKey(state), found);
    queue.push(...downloadSteps(state).map((step) => ({ state: advanceDownload(state, step), path: [...path, step] })));
  }
  return [...seen.values()];
}

/** Every path that meets no stage with the same setbacks twice, to an end. */
function simplePaths(state: DownloadSnapshot, path: readonly DownloadStep[], met: readonly string[]): Found[] {
  if (state.status === 'done') return [{ state, path }];
  return downloadSteps(state).flatMap((step) => {
    const next = advanceDownload(state, step);
    const key = `${stageOf(next)} ${next.context.setbacks}`;
    return met.includes(key) ? [] : simplePaths(next, [...path, step], [...met, key]);
  });
}

const stateNodes = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(stateNodes)];

describe('the download machine', () => {
  const states = everyState();

  it('reaches every state that it has', () => {
    expect(new Set(states.map(({ state }) => stageOf(state)))).to.deep.equal(
      new Set(['requested', 'probing', 'fetching', 'verifying', 'here', 'failed']),
    );
  });

  it('has a way out of every state but the last ones, and a deadline in all of them', () => {
    for (const { state } of states) {
      const types = getNextTransitions(state).map(({ eventType }) => eventType);
      expect(types.length > 0, downloadKey(state)).to.equal(state.status === 'active');
      if (state.status === 'active') expect(types.some((type) => type.startsWith('xstate.after.'))).to.equal(true);
    }
  });

  it('waits for exactly one effect in every state but the last ones', () => {
    for (const { state } of states) {
      expect(Object.keys(state.children).length, downloadKey(state)).to.equal(state.status === 'active' ? 1 : 0);
    }
  });

  /** A running machine whose effects end as given, one result for each call of `fetch`. */
  async function ended(fetches: readonly (Error | null)[]): Promise<DownloadSnapshot> {
    const left = [...fetches];
    const actor = createActor(
      downloadMachine.provide({
        actors: {
          place: fromPromise(async () => ({ received: 0 })),
          probe: fromPromise(async () => ({ size: objectBytes })),
          fetch: fromPromise(async () => {
            const error = left.shift() ?? null;
            if (error) throw error;
          }),
          verify: fromPromise(async () => {}),
        },
      }),
      { input: { deadlineMs: 60_000 } },
    );
    actor.start();
    return waitFor(actor, ({ status }) => status === 'done', { timeout: 60_000 });
  }

  it('takes an error without a place in the file for one that brought no bytes', async () => {
    const state = await ended([new Error('unexpected'), null]);
    expect([state.output?.failure, state.context.setbacks]).to.deep.equal([null, 1]);
  });

  it('gives every effect its name, and an answer to its failure', () => {
    for (const node of stateNodes(downloadMachine.root)) {
      for (const { id, src } of node.invoke) {
        expect(id).to.equal(src);
        expect([...node.transitions.keys()]).to.include(`xstate.error.actor.${id}`);
      }
    }
  });

  it('is here only after all bytes were fetched and verified, and failed only with a reason', () => {
    for (const { state, path } of states) {
      const names = path.map(({ name }) => name);
      if (stageOf(state) === 'here') {
        expect(names.slice(-2)).to.deep.equal(['all bytes are there', 'the copy is right']);
        expect(state.context.received).to.equal(objectBytes);
      }
      expect(state.context.failure !== null, names.join(' → ')).to.equal(stageOf(state) === 'failed');
      if (state.status === 'done') expect(state.output).to.deep.equal({ failure: state.context.failure });
    }
  });

  it('never goes back: bytes that have been received stay', () => {
    for (const { state } of states) {
      for (const step of downloadSteps(state)) {
        const after = advanceDownload(state, step);
        expect(after.context.received, step.name).to.be.at.least(state.context.received);
      }
    }
  });

  it('bears so many setbacks in a row, and forgives those after which much has arrived', () => {
    for (const { state } of states) expect(state.context.setbacks).to.be.lessThan(maxSetbacks);
    for (const { state } of states.filter((one) => stageOf(one.state) === 'fetching')) {
      const taken = (name: string) => {
        const step = downloadSteps(state).find((one) => one.name === name) as DownloadStep;
        return advanceDownload(state, step);
      };
      const isLast = state.context.setbacks === maxSetbacks - 1;
      expect(stageOf(taken('the source ends at once'))).to.equal(isLast ? 'failed' : 'probing');
      if (state.context.received === 0) expect(taken('the source ends late').context.setbacks).to.equal(0);
    }
  });

  it('fetches nothing again after wrong bytes, or an error of the disk', () => {
    for (const { state } of states) {
      for (const step of downloadSteps(state).filter(({ name }) => /disk fails|hash|too much/.test(name))) {
        expect(stageOf(advanceDownload(state, step)), step.name).to.equal('failed');
      }
    }
  });

  it('leads a running machine through the same states as the pure one, on every simple path', () => {
    const paths = simplePaths(initialDownload(), [], ['requested 0']);
    expect(paths.length).to.be.greaterThan(50);
    for (const { path } of paths) {
      const actor = createActor(downloadMachine, { input: { deadlineMs: 60_000 } });
      actor.start();
      let pure = initialDownload();
      for (const step of path) {
        actor.send(step.event);
        pure = advanceDownload(pure, step);
        expect(downloadKey(actor.getSnapshot()), path.map(({ name }) => name).join(' → ')).to.equal(downloadKey(pure));
      }
      expect(actor.getSnapshot().status).to.equal('done');
    }
  });

  it('runs as printed: `REWRITE=1` rewrites the runs, read the difference', () => {
    const file = new URL('../../../test/machines/download-runs.txt', import.meta.url);
    const is = readFileSync(file, 'utf8');
    const shouldBe = replay(is);
    if (process.env.REWRITE) writeFileSync(file, shouldBe);
    else expect(is).to.equal(shouldBe);
  });
});

/** Lines that begin with `>` say what happens; what is printed below them is where the download is then. */
function replay(script: string): string {
  let state = initialDownload();
  const lines = script.split('\n').filter((line) => !line.startsWith('  '));
  return lines
    .flatMap((line) => {
      if (!line.startsWith('> ')) return [line];
      const name = line.slice(2);
      if (name === 'download') state = initialDownload();
      else {
        const step = downloadSteps(state).find((one) => one.name === name);
        if (step === undefined) throw new Error(`In ${stageOf(state)} there is no step: ${name}`);
        state = advanceDownload(state, step);
      }
      const { received, setbacks, failure } = state.context;
      const words = [
        `${received} bytes`,
        ...(setbacks > 0 ? [`${setbacks} setbacks`] : []),
        ...(failure ? [failure] : []),
      ];
      const waits = Object.keys(state.children).map((actor) => `waits for ${actor}`);
      return [line, `  ${[stageOf(state), ...words, ...waits].join(', ')}`];
    })
    .join('\n');
}
