// The dashboard and the alert rules under examples/: they use only exported metrics.
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type OperatorSide, startOperatorSide, stillSide } from '../support/harness.ts';
import { type Scrape, scrapeOf } from '../support/scrape.ts';

const folder = new URL('../../../examples/monitoring/', import.meta.url);

describe('the examples of monitoring', () => {
  let operator: OperatorSide;
  let scrape: Scrape;

  before(async () => {
    operator = await startOperatorSide({ publicSide: { ...stillSide, losses: { SIGKILL: 1 } } });
    // So that every series there may be is there.
    await operator.command('start-api');
    await operator.call('/metrics', { method: 'GET' });
    scrape = scrapeOf((await operator.call('/metrics', { method: 'GET' })).text);
  });
  after(() => operator.close());

  const isExported = (name: string): boolean => {
    const family = (ending: RegExp) => scrape.families.find((one) => one.name === name.replace(ending, ''));
    return family(/$^/) !== undefined || family(/_(bucket|sum|count)$/)?.type === 'HISTOGRAM';
  };

  for (const file of ['dashboard.json', 'alerts.yml']) {
    it(`${file} uses only metrics that exist`, async () => {
      const text = await readFile(new URL(file, folder), 'utf8');
      const names = new Set(text.match(/\b(?:distributor|process|nodejs)_[a-z][a-z0-9_]*/g));
      expect(names.size).to.be.greaterThan(5);
      expect([...names].filter((name) => !isExported(name))).to.deep.equal([]);
    });
  }

  it('the dashboard shows every metric of the node', async () => {
    const text = await readFile(new URL('dashboard.json', folder), 'utf8');
    const own = scrape.families.map(({ name }) => name).filter((name) => name.startsWith('distributor_'));
    expect(own.filter((name) => !text.includes(name))).to.deep.equal([]);
  });
});
