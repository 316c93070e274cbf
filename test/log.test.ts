// The log: its levels, and that no secret or token ever gets through.
import { expect } from 'chai';
import { createLog } from '../src/log.ts';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJlLWJ5dGVz';

describe('log', () => {
  let lines: string[];
  const out = { write: (line: string) => void lines.push(line) };
  beforeEach(() => {
    lines = [];
  });

  it('writes a line of JSON for each entry', async () => {
    const log = await createLog('info', out);
    log.info({ port: 3334 }, 'listening');
    log.debug('not asked for');
    expect(lines).to.have.lengthOf(1);
    expect(JSON.parse(lines[0] ?? '')).to.include({ level: 30, port: 3334, msg: 'listening' });
  });

  it('knows the levels of the peer', async () => {
    const verbose = await createLog('verbose', out);
    expect(verbose.level).to.equal('debug');
    const silent = await createLog('off', out);
    silent.fatal('nothing');
    expect(lines).to.deep.equal([]);
  });

  it('leaves out secrets and tokens, wherever they are', async () => {
    const log = await createLog('info', out);
    log.info({ req: { headers: { authorization: `Bearer ${jwt}` } } });
    log.info({ operatorApi: { hmacSecret: 'hush-1' }, secret: 'hush-2', token: 'hush-3' });
    log.info(`refused bearer ${jwt}: expired`);
    log.info({ note: `authorization: Bearer hush-opaque-token`, list: [jwt] }, 'a request');
    log.error(new Error(`cannot read ${jwt}`));
    const text = lines.join('');
    expect(text).not.to.match(/eyJ|hush|c2lnbmF0/);
    expect(text).to.contain('expired').and.to.contain('a request').and.to.contain('cannot read');
    for (const line of lines) expect(() => JSON.parse(line)).not.to.throw();
  });
});
