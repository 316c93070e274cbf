// Every command in every reachable state against the words of the contract, and every simple path walked by a running machine.
import { expect } from 'chai';
import { createActor } from 'xstate';
import { type CommandName, commandNames } from '../../machines/commands.ts';
import { isSettled, judge, type NodeSnapshot, statusOf } from '../../machines/judge.ts';
import { type CommandOutcome, nodeMachine } from '../../machines/node.ts';
import { advance, keyOf, lameDuckInput, recordedInput, sampleCommands } from '../support/model.ts';
import {
  namesOf,
  type Path,
  reachableStates,
  type Start,
  settledPaths,
  simplePaths,
  starts,
} from '../support/paths.ts';

type Answers = Readonly<Record<CommandName, string>>;

/** The table of the contract (the operator API, by state), written down by hand. */
const contract: Readonly<Record<'stopped' | 'running' | 'shuttingDown', Answers>> = {
  stopped: {
    'stop-api': '409 Already stopped',
    'start-api': '200',
    shutdown: '200',
    'set-worker': '200',
    'set-buckets': '200',
  },
  running: {
    'stop-api': '200',
    'start-api': '409 Already started',
    shutdown: '200',
    'set-worker': '200',
    'set-buckets': '200',
  },
  shuttingDown: {
    'stop-api': '409 Node is shutting down',
    'start-api': '409 Node is shutting down',
    shutdown: '409 Already shutting down',
    'set-worker': '200',
    'set-buckets': '200',
  },
};

const answerOf = (state: NodeSnapshot, type: CommandName): string => {
  const judgement = judge(state, { type });
  return judgement.legal ? '200' : `409 ${judgement.reason}`;
};

describe('every reachable state, every command', () => {
  const states = reachableStates();

  it('is answered as in the contract, in every settled state', () => {
    const seen = new Set<string>();
    for (const state of states.filter((one) => isSettled(one) && one.status === 'active')) {
      const { node, publicApi } = statusOf(state);
      const column = node === 'shuttingDown' ? node : publicApi;
      expect(column).to.be.oneOf(['stopped', 'running', 'shuttingDown']);
      for (const type of commandNames)
        expect(answerOf(state, type), keyOf(state)).to.equal(contract[column as keyof typeof contract][type]);
      seen.add(column);
    }
    expect(seen.size).to.equal(3);
  });

  it('is refused during a step, except shutdown', () => {
    for (const state of states.filter((one) => !isSettled(one)))
      for (const type of commandNames.filter((name) => name !== 'shutdown'))
        expect(judge(state, { type }).legal, `${type} in ${keyOf(state)}`).to.equal(false);
  });

  it('leaves settled states only by accepted commands', () => {
    for (const state of states.filter((one) => isSettled(one) && one.status === 'active'))
      for (const type of commandNames) {
        const { state: next, outcomes } = advance(state, sampleCommands[type]);
        const isLegal = answerOf(state, type) === '200';
        expect(next === state, `${type} in ${keyOf(state)}`).to.equal(!isLegal);
        if (!isLegal) expect(outcomes).to.deep.equal([]);
      }
  });
});

/**
 * Walks a path with a running machine and compares it with the pure one. It is walked without a pause: the answers are those of
 * the path, before the ports have any of their own.
 */
function walk({ start, steps }: Path): void {
  const actor = createActor(nodeMachine, { input: inputOf(start) });
  const emitted: CommandOutcome[] = [];
  actor.on('outcome', (outcome) => emitted.push(outcome));
  actor.start();
  if (start !== 'stoppedAgain') actor.send({ type: 'restore' });
  for (const { event, state } of steps) {
    actor.send(event);
    expect(keyOf(actor.getSnapshot())).to.equal(keyOf(state));
  }
  expect(emitted).to.deep.equal(steps.flatMap(({ outcomes }) => outcomes));
  actor.stop();
}

const inputOf = (start: Start) =>
  start === 'behindABalancer'
    ? lameDuckInput('running')
    : recordedInput(start.startsWith('restoring') ? 'running' : 'stopped');

describe('every simple path', () => {
  const commands = ['stop-api', 'start-api', 'shutdown', 'set-worker'] as const;
  const stops = ['stop-api', 'start-api', 'shutdown'] as const;
  const kinds = [
    ['when each step succeeds', 'restoringAgain', { drains: 0, delays: false, errors: false, commands }],
    ['when steps fail', 'stoppedAgain', { drains: 0, delays: false, commands }],
    ['when ports leave drains behind', 'stoppedAgain', { drains: 1, delays: false, errors: false, commands }],
    // Settings cannot change during that time: without them there are fewer paths and no fewer ways through a lame duck.
    ['behind a balancer', 'behindABalancer', { drains: 0, delays: false, errors: false, commands: stops }],
  ] as const;

  for (const [title, start, options] of kinds)
    it(`leads the running machine through the same states as the pure one, ${title}`, () => {
      const paths = simplePaths(start, options);
      expect(paths.length).to.be.greaterThan(10);
      for (const path of paths) {
        expect(path.steps.at(-1)?.state.status, namesOf(path).join(' → ')).to.be.oneOf(['done', 'active']);
        walk(path);
      }
    });

  it('ends in the final state, from one settled state to the next', () => {
    const paths = settledPaths(starts.stopped);
    expect(paths).to.have.lengthOf(26);
    for (const path of paths) {
      expect(path.at(-1)?.state.status).to.equal('done');
      expect(path.slice(0, -1).every(({ state }) => isSettled(state))).to.equal(true);
    }
  });
});
