// The memory of sources is bounded, however many endpoints the chain names.
import { expect } from 'chai';
import { AvoidedSources } from '../../src/sources/avoided-sources.ts';
import { ResponseTimes } from '../../src/sources/response-times.ts';
import { SourceFault } from '../../src/sources/source-fault.ts';
import { SourceMetrics } from '../../src/sources/source-metrics.ts';
import { validEndpoints } from '../../src/sources/storage-nodes.ts';

const many = Array.from({ length: 3000 }, (_, number) => `https://node-${number}.example`);
const fault = new SourceFault('wrong', 'BadAnswer', 'has answered 302');

describe('what sources remember', () => {
  it('is a thousand avoided sources, of which a condition names the latest', () => {
    const avoided = new AvoidedSources({ avoidMs: 60_000, monotonicMs: () => 0, onChange: () => {} });
    for (const source of many) avoided.add(source, fault);
    expect(many.filter((source) => avoided.of(source) === 'never')).to.deep.equal(many.slice(2000));
    const message = avoided.condition?.message ?? '';
    expect(message).to.match(/^https:\/\/node-2999.example has answered 302; /);
    expect(message).to.match(/and 995 more\.$/);
    avoided.add(`http://a/${'x'.repeat(900)}\u001b[31m\n`, fault);
    expect(avoided.condition?.message).to.match(/^[\x20-\x7e…]{1,500}$/);
    avoided.stop();
    expect(avoided.condition).to.equal(null);
  });

  it('is two hundred sources in the metrics, and the rest in one row', () => {
    const metrics = new SourceMetrics();
    for (const source of many) metrics.bytes(source, 1);
    expect(metrics.rows).to.have.lengthOf(201);
    expect(metrics.rows.at(-1)).to.include({ source: 'other', bytes: 2800 });
    metrics.bytes(many[0] ?? '', 5);
    expect(metrics.rows[0]).to.include({ bytes: 6 });
  });

  it('is the last ten response times of a thousand storage nodes', async () => {
    const asked = new Map<string, number>();
    let most = 0;
    let underWay = 0;
    let answers = new Map<string, number>();
    const times = new ResponseTimes({
      everyMs: 3_600_000,
      failureMs: 100,
      ask: async (endpoint) => {
        underWay += 1;
        most = Math.max(most, underWay);
        asked.set(endpoint, (asked.get(endpoint) ?? 0) + 1);
        await Promise.resolve();
        underWay -= 1;
        const ms = answers.get(endpoint);
        if (ms === undefined) throw new Error('is down');
        return ms;
      },
    });
    const round = async () => {
      times.measure();
      await times.measured();
    };
    const [one = '', two = '', three = '', fresh = ''] = many.slice(-4);
    times.need(many.filter((endpoint) => endpoint !== fresh));
    answers = new Map([
      [one, 30],
      [two, 20],
    ]);
    await round();
    expect(asked.size).to.equal(1000);
    expect(most).to.equal(10);
    expect(times.sorted([fresh, three, one, two])).to.deep.equal([two, one, three, fresh]);
    // Ten later samples replace the first ones.
    answers.set(two, 31);
    for (let more = 0; more < 9; more += 1) await round();
    expect(times.sorted([one, two])).to.deep.equal([two, one]);
    await round();
    expect(times.sorted([two, one])).to.deep.equal([one, two]);
    await times.stop();
    await round();
    expect(asked.get(one)).to.equal(11);
  });

  it('is a hundred endpoints of one object', () => {
    expect(validEndpoints([...many, ...many])).to.deep.equal(many.slice(0, 100));
    expect(validEndpoints(['https://a.example/', 'https://a.example//', 'HTTPS://A.example'])).to.deep.equal([
      'https://a.example',
    ]);
    expect(validEndpoints(['http://a.example/storage/', 'http://a.example:8080'])).to.deep.equal([
      'http://a.example/storage',
      'http://a.example:8080',
    ]);
  });
});
