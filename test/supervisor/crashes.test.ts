// Conditions about server processes that died.
import { expect } from 'chai';
import { condition } from '../../src/base/condition.ts';
import { Crashes, contentCrashes, serverCrashes } from '../../src/supervisor/crashes.ts';

describe('crash conditions', () => {
  let now = 0;
  const death = (pid: number) => ({
    pid,
    at: now,
    reason: 'SIGKILL',
    description: 'was ended by SIGKILL',
    expected: false,
  });
  const pass = (ms: number) => {
    now += ms;
  };

  beforeEach(() => {
    now = Date.parse('2026-11-23T08:00:00.000Z');
  });

  it('are empty if no process has died', () => {
    expect(new Crashes(1000, serverCrashes, () => now).conditions(0, null)).to.deep.equal([]);
  });

  it('give time, reason and number of deaths since the first of an episode', () => {
    const crashes = new Crashes(1000, serverCrashes, () => now);
    crashes.note(death(1));
    pass(900);
    crashes.note(death(2));
    expect(crashes.conditions(1, null)).to.deep.equal([
      {
        ...condition(
          'WorkerCrashed',
          'SIGKILL',
          'Server process 2 was ended by SIGKILL at 2026-11-23T08:00:00.900Z. ' +
            'Server processes died 2 times since 2026-11-23T08:00:00.000Z; each is replaced.',
        ),
        since: '2026-11-23T08:00:00.000Z',
      },
    ]);
    pass(1001);
    expect(crashes.conditions(1, null)).to.deep.equal([]);
    crashes.note(death(3));
    expect(crashes.conditions(1, null)[0]?.message).to.contain('died once since 2026-11-23T08:00:01.901Z');
  });

  it('include a crash loop during a long failure streak', () => {
    const crashes = new Crashes(10_000, serverCrashes, () => now);
    for (let times = 1; times <= 4; times += 1) {
      pass(100);
      crashes.note(death(times));
      expect(crashes.conditions(times, now + 800).length).to.equal(times < 4 ? 1 : 2);
    }
    const [, loop] = crashes.conditions(4, now + 800);
    expect(loop).to.deep.equal({
      ...condition(
        'WorkerCrashLoop',
        'SIGKILL',
        'A server process died 4 times in a row; the last one was ended by SIGKILL. ' +
          'The next attempt is at 2026-11-23T08:00:01.200Z.',
      ),
      since: '2026-11-23T08:00:00.400Z',
    });
    expect(crashes.conditions(4, null)[1]?.message).to.contain('It has been started again.');
    expect(crashes.conditions(0, null).map(({ type }) => type)).to.deep.equal(['WorkerCrashed']);
  });

  it('have messages of their own for the content process', () => {
    const crashes = new Crashes(10_000, contentCrashes, () => now);
    for (let times = 1; times <= 4; times += 1) crashes.note(death(times));
    const [crashed, loop] = crashes.conditions(4, null);
    expect([crashed?.type, loop?.type]).to.deep.equal(['ContentCrashed', 'ContentCrashLoop']);
    expect(crashed?.message).to.match(/^Content process 4 was ended by SIGKILL/);
    expect(loop?.message).to.match(/^A content process died 4 times in a row/);
  });
});
