// The check that answers are in some order: what it explains, and what it must not.
import { expect } from 'chai';
import type { Command } from '../../machines/commands.ts';
import { type Answer, explain, type Operation } from './linearizable.ts';
import { carryOut, initialState, sampleInput } from './model.ts';

const stopped = initialState(sampleInput('stopped'));
const running = carryOut(stopped, { type: 'start-api' });

const ok: Answer = { status: 200 };
const refused = (reason: string): Answer => ({ status: 409, reason });

/** One request from one moment to another. */
const op = (
  type: Operation['command']['type'],
  [invokedAt, answeredAt]: [number, number | null],
  answer: Answer | null,
) => ({ command: { type, workerId: 7 } as Command, invokedAt, answeredAt, answer }) satisfies Operation;

describe('a history is explained', () => {
  it('when there is none', () => {
    expect(explain(running, [])).to.deep.equal({ explained: true, order: [] });
  });

  it('when one of two simultaneous stops is refused', () => {
    const history = [op('stop-api', [0, 5], refused('Already stopped')), op('stop-api', [1, 4], ok)];
    expect(explain(running, history)).to.deep.equal({ explained: true, order: [1, 0] });
  });

  it('when a start that a shutdown overtook is refused as if it came after', () => {
    const history = [
      op('start-api', [0, 9], refused('Node is shutting down')),
      op('shutdown', [3, 8], { status: 200, state: { node: 'shuttingDown', publicApi: 'stopped' } }),
    ];
    expect(explain(stopped, history).order).to.deep.equal([1, 0]);
  });

  it('when a 200 shows the shutdown that began before it was written', () => {
    const seen = { node: 'shuttingDown', publicApi: 'stopped' } as const;
    const history = [op('stop-api', [0, 9], { status: 200, state: seen }), op('shutdown', [3, 8], ok)];
    expect(explain(running, history).explained).to.equal(true);
    expect(explain(running, history.slice(0, 1)).explained).to.equal(false);
  });

  it('when a shutdown is answered after a change that it overtook', () => {
    const seen = (generation: number, node: 'running' | 'shuttingDown') => ({
      status: 200,
      state: { node, generation, settings: { workerId: generation === 0 ? 0 : 7, buckets: null } },
    });
    const sets = op('set-worker', [0, 9], seen(1, 'shuttingDown'));
    const shuts = op('shutdown', [1, 8], seen(1, 'shuttingDown'));
    const looks = op('read', [2, 4], seen(0, 'shuttingDown'));
    expect(explain(stopped, [sets, shuts, looks]).explained).to.equal(true);
    expect(explain(stopped, [sets, { ...shuts, answeredAt: 2 }, { ...looks, invokedAt: 3 }]).explained).to.equal(false);
  });

  it('when settings are taken while shutting down, for as long as anything is answered', () => {
    const history = [
      op('shutdown', [0, 1], ok),
      op('set-worker', [2, 3], { status: 200, state: { settings: { workerId: 7, buckets: null } } }),
      op('shutdown', [4, 5], refused('Already shutting down')),
    ];
    expect(explain(running, history)).to.deep.equal({ explained: true, order: [0, 1, 2] });
    const refusal = op('set-worker', [6, 7], refused('Node is shutting down'));
    expect(explain(running, [...history, refusal]).explained).to.equal(false);
  });

  it('when ports may fail, and not when they may not', () => {
    const history = [op('start-api', [0, 1], { status: 500 }), op('start-api', [2, 3], ok)];
    expect(explain(stopped, history, { faults: true }).explained).to.equal(true);
    expect(explain(stopped, history).explained).to.equal(false);
  });

  it('when the command of a lost connection was carried out, and when it was not', () => {
    const lost = op('stop-api', [0, null], null);
    expect(explain(running, [lost, op('stop-api', [1, 2], refused('Already stopped'))]).explained).to.equal(true);
    expect(explain(running, [lost, op('start-api', [1, 2], refused('Already started'))]).explained).to.equal(true);
    expect(explain(stopped, [lost, op('read', [1, null], null), op('start-api', [1, 2], ok)]).explained).to.equal(true);
  });

  it('when somebody who only looks sees a step under way', () => {
    const looks = op('read', [1, 2], { status: 200, state: { node: 'running', publicApi: 'stopping', generation: 9 } });
    expect(explain(running, [op('stop-api', [0, 5], ok), looks]).explained).to.equal(true);
  });

  it('when sixteen ask at once', () => {
    const winners = [ok, ...Array.from({ length: 7 }, () => refused('Already stopped'))];
    const stops = winners.map((answer) => op('stop-api', [0, 9], answer));
    const sets = winners.map(() => op('set-worker', [0, 9], ok));
    expect(explain(running, [...sets, ...stops.reverse()]).explained).to.equal(true);
    expect(explain(running, [...sets, ...stops, op('stop-api', [0, 9], ok)]).explained).to.equal(false);
  });
});

describe('a history is not explained', () => {
  it('when two simultaneous stops both succeed', () => {
    const found = explain(running, [op('stop-api', [0, 5], ok), op('stop-api', [1, 4], ok)]);
    expect(found.explained).to.equal(false);
    expect(found.order).to.have.lengthOf(1);
  });

  it('when one was answered before the other was asked, and only the other order fits', () => {
    const stop = op('stop-api', [0, 1], ok);
    const refusal = op('stop-api', [2, 3], refused('Already stopped'));
    expect(explain(running, [stop, refusal]).explained).to.equal(true);
    const swapped = [
      { ...stop, invokedAt: 2, answeredAt: 3 },
      { ...refusal, invokedAt: 0, answeredAt: 1 },
    ];
    expect(explain(running, swapped).explained).to.equal(false);
  });

  it('when a refusal rests on what has failed', () => {
    const history = [op('start-api', [0, 9], { status: 500 }), op('start-api', [1, 8], refused('Already started'))];
    expect(explain(stopped, history, { faults: true }).explained).to.equal(false);
  });

  it('when a stop fails, or an answer is none that a command has', () => {
    expect(explain(running, [op('stop-api', [0, 1], { status: 500 })], { faults: true }).explained).to.equal(false);
    expect(explain(running, [op('stop-api', [0, 1], { status: 202 })]).explained).to.equal(false);
  });

  it('when the words, the state, the settings or the generation are not those of the moment', () => {
    const answers: Answer[] = [
      refused('Already started'),
      { ...refused('Already stopped'), state: { node: 'running', publicApi: 'running' } },
      { ...refused('Already stopped'), state: { node: 'shuttingDown' } },
      { ...refused('Already stopped'), state: { generation: 4 } },
      { ...refused('Already stopped'), state: { wanted: 'running' } },
      { ...refused('Already stopped'), state: { settings: { workerId: 0, buckets: ['1:0'] } } },
    ];
    for (const answer of answers) expect(explain(stopped, [op('stop-api', [0, 1], answer)]).explained).to.equal(false);
  });

  it('when what was sent ahead on one connection was carried out in another order, unless it is a shutdown', () => {
    const on = (place: number, operation: Operation): Operation => ({ ...operation, sent: { connection: 1, place } });
    const first = op('stop-api', [0, 9], refused('Already stopped'));
    const second = op('stop-api', [0, 9], ok);
    expect(explain(running, [first, second]).explained).to.equal(true);
    expect(explain(running, [on(1, first), on(2, second)]).explained).to.equal(false);
    expect(explain(running, [on(2, first), on(1, second)]).explained).to.equal(true);
    const late = op('stop-api', [0, 9], refused('Node is shutting down'));
    const end = op('shutdown', [0, 9], ok);
    expect(explain(running, [on(1, late), on(2, end)]).explained).to.equal(true);
    expect(explain(running, [on(1, end), on(2, second)]).explained).to.equal(false);
  });

  it('when an acknowledged change is gone', () => {
    const forgotten = { status: 200, state: { settings: { workerId: 0, buckets: null } } };
    expect(explain(running, [op('set-worker', [0, 1], ok), op('read', [2, 3], forgotten)]).explained).to.equal(false);
    expect(explain(running, [op('set-worker', [0, 2], ok), op('read', [1, 3], forgotten)]).explained).to.equal(true);
  });
});
