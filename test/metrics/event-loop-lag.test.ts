// Event loop lag, measured with an injected clock.
import { expect } from 'chai';
import { measureLag } from '../../src/metrics/event-loop-lag.ts';
import { until } from '../support/until.ts';

describe('the lag of the event loop', () => {
  it('is the delay of a timer', async () => {
    const clock = [0, 0, 2000, 2000];
    const meter = measureLag(() => clock.shift() ?? 2000);
    await until(() => meter.reading.sum > 0);
    meter.stop();
    expect(meter.reading.sum).to.equal(1.9);
    expect(meter.reading.counts.reduce((sum, count) => sum + count)).to.equal(1);
  });
});
