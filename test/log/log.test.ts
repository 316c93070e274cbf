// The log: its levels, and that no secret or token ever gets through.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { excerpt, forTerminal, logTo, neverShow, openLog, withoutTokens } from '../../src/log/log.ts';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJlLWJ5dGVz';

describe('log', () => {
  let lines: string[];
  const out = { write: (line: string) => void lines.push(line) };
  beforeEach(() => {
    lines = [];
  });

  it('writes each entry as a line of JSON', () => {
    const log = logTo([{ level: 'info', out }]);
    log.info({ port: 3334 }, 'listening');
    log.debug('not asked for');
    expect(lines).to.have.lengthOf(1);
    expect(JSON.parse(lines[0] ?? '')).to.include({ level: 30, port: 3334, msg: 'listening' });
  });

  it('accepts the levels of the peer', () => {
    const verbose = logTo([{ level: 'verbose', out }]);
    expect(verbose.level).to.equal('debug');
    const silent = logTo([{ level: 'off', out }]);
    silent.fatal('nothing');
    expect(lines).to.deep.equal([]);
  });

  it('has a level for requests between info and debug', () => {
    for (const [level, expected] of [
      ['info', ['in']],
      ['http', ['in', 'each']],
      ['verbose', ['in', 'each', 'de']],
    ] as const) {
      lines = [];
      const log = logTo([{ level, out }]);
      log.info('in');
      log.http('each');
      log.debug('de');
      expect(lines.map((line) => JSON.parse(line).msg)).to.deep.equal(expected);
    }
  });

  it('writes to files by their own level, independent of the console', async () => {
    const path = mkdtempSync(join(tmpdir(), 'logs-'));
    const file = { path, frequency: 'yearly', maxFiles: 1, maxSize: 10_000, archive: false } as const;
    const times = { writeTimeoutMs: 1000, retryMs: 1000 };
    const { log, conditions, close } = await openLog({
      id: 'n',
      logs: { console: { level: 'off' }, file: { ...file, ...times, level: 'http' } },
    });
    log.http({ path: `/${jwt}` }, 'a request');
    log.debug('not asked for');
    await close();
    expect(conditions()).to.deep.equal([]);
    const [name = ''] = readdirSync(path);
    const text = readFileSync(join(path, name), 'utf8');
    rmSync(path, { recursive: true });
    expect(JSON.parse(text)).to.include({ level: 25, msg: 'a request', path: '/(not shown)' });
  });

  it('removes known secrets anywhere in an entry', () => {
    const log = logTo([{ level: 'info', out }]);
    neverShow('the "secret" of this node');
    log.info({ path: '/the "secret" of this node' }, 'it is the "secret" of this node');
    expect(JSON.parse(lines[0] ?? '')).to.include({ path: '/(not shown)', msg: 'it is (not shown)' });
    expect(withoutTokens('plain: the "secret" of this node')).to.equal('plain: (not shown)');
  });

  it('truncates long texts, and leaves no half of a secret at the cut', () => {
    neverShow('a secret that lies across the cut');
    expect(excerpt('x'.repeat(1000), 300)).to.equal('x'.repeat(300));
    expect(excerpt(`${'x'.repeat(290)}a secret that lies across the cut`, 300)).to.equal('x'.repeat(290));
    expect(excerpt(`${'x'.repeat(267)}a secret that lies across the cut, and more`, 300)).to.equal(
      `${'x'.repeat(267)}(not shown)`,
    );
    expect(excerpt(`${'x'.repeat(250)}/${jwt}`, 300)).to.equal(`${'x'.repeat(250)}/(not shown)`);
    expect(excerpt('short', 300)).to.equal('short');
  });

  it('escapes control characters; only a stack has several lines', () => {
    const line = JSON.stringify({
      level: 30,
      path: '/\u001b[2J\u009b2J\u202e\nb',
      err: { stack: 'Error\u001b: x\n  at y' },
    });
    expect(forTerminal(line)).to.deep.equal({ level: 30, path: '/?[2J?2J??b', err: { stack: 'Error?: x\n  at y' } });
  });

  it('removes tokens inside longer words, and keeps similar text', () => {
    expect(withoutTokens(`a-eyJ_${jwt}/x`)).to.equal('a-(not shown)/x');
    expect(withoutTokens(`1.2.${jwt}`)).to.equal('1.2.(not shown)');
    expect(withoutTokens('eyJ, eyJhbGciOi and eyJ.eyJ stay')).to.equal('eyJ, eyJhbGciOi and eyJ.eyJ stay');
    expect(withoutTokens('{"msg":"a line\\nBearer opaque-token=="}')).to.equal('{"msg":"a line\\nBearer (not shown)"}');
  });

  it('removes secrets and tokens anywhere in an entry', () => {
    const log = logTo([{ level: 'info', out }]);
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
