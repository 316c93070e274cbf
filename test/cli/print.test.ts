// Output of the command line, as real processes: control characters are escaped, a full disk is reported in one line.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { printableJson } from '../../src/base/printable.ts';
import { bin, type FakeNode, fakeNode, run } from './run.ts';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
/** Clears a screen in two ways, rings, turns the writing around, and begins a line that is none of ours. */
const hostile = 'a\u001b[2J\u009b2J\u0007\u202eb\u2066c\n! Forged: line\u2028\u{e0041}\r\u007f';
const shown = 'a?[2J?2J??b?c?! Forged: line????';

const state = {
  ...{ id: hostile, version: hostile, startedAt: hostile, node: 'running', publicApi: hostile, since: hostile },
  ...{ generation: 7, settings: { workerId: 3, buckets: [hostile] }, effectiveBuckets: [hostile], allowed: [hostile] },
  desired: { publicApi: hostile, overridden: [hostile] },
  endpoints: { publicApi: hostile, operatorApi: hostile },
  ...{ drain: null, workers: [{ pid: 4711, state: hostile }], lastCrash: { at: hostile, message: hostile } },
  conditions: [{ type: hostile, reason: hostile, message: hostile, since: hostile }],
};

describe('cli print', () => {
  let cwd: string;
  let node: FakeNode;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'cli-print-'));
    node = await fakeNode(secret, { status: 200, document: state });
  });
  afterEach(async () => {
    await node[Symbol.asyncDispose]();
    rmSync(cwd, { recursive: true });
  });

  const env = () => ({ DISTRIBUTOR_URL: node.url, DISTRIBUTOR_SECRET: secret });
  const call = (...args: string[]) => run(args, { cwd, env: env() });
  const audit = { at: '2026-11-23T08:00:00.000Z', from: hostile, kind: 'access', sub: hostile, jti: null };
  const entry = { ...audit, method: 'POST', command: 'stop-api', input: { a: hostile }, status: 200, detail: hostile };
  function expectTame(text: string): void {
    expect(text).to.contain(shown);
    expect(text).not.to.match(/[^\P{C}\n]|[\u2028\u2029]/u);
    expect(text).not.to.match(/^! Forged/m);
  }

  it('escapes control characters on a terminal', async () => {
    expectTame((await call('state')).stdout);
    expectTame((await call('stop-api')).stdout);
    node.answer = { status: 409, document: { detail: hostile, errors: [{ path: hostile, message: hostile }] } };
    expectTame((await call('stop-api')).stderr);
    mkdirSync(join(cwd, 'local'));
    writeFileSync(join(cwd, 'local', 'audit.jsonl'), `${JSON.stringify({ ...entry, before: null, after: null })}\n`);
    expectTame((await call('audit')).stdout);
    const name = hostile.replaceAll('\n', '');
    writeFileSync(join(cwd, name), 'config');
    expect((await call('config', '--config', name)).stderr).to.not.match(/[^\P{C}\n]|[\u2028\u2029]/u);
  });

  it('escapes control characters in JSON without loss', async () => {
    const { stdout } = await call('state', '--output', 'json');
    expect(JSON.parse(stdout)).to.deep.equal(state);
    expect(stdout).not.to.match(/[^\P{C}\n]|[\u2028\u2029]/u);
    expect(printableJson({ a: ['\u009b', '😀'] })).to.equal('{"a":["\\u009b","😀"]}');
  });

  it('writes files unchanged: a catalogue contains the real names', async () => {
    const folder = join(cwd, 'media');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a\u202eb.txt'), 'text');
    const { stdout } = await call('catalogue', folder);
    const { objects } = load(stdout) as { objects: { file: string }[] };
    expect(objects.map(({ file }) => file)).to.deep.equal(['a\u202eb.txt']);
  });

  it('reports a full disk in one line and exits with 1', async () => {
    writeFileSync(join(cwd, 'file.txt'), 'text');
    mkdirSync(join(cwd, 'local'));
    writeFileSync(join(cwd, 'local', 'audit.jsonl'), `${JSON.stringify({ ...entry, before: null, after: null })}\n`);
    const lines = [
      'stop-api --output json',
      'state',
      'catalogue .',
      'audit --follow',
      'openapi',
      'diagram',
      'config',
      'token',
      '--help',
    ];
    const ends = lines.map(
      (line) =>
        new Promise((resolve) => {
          const command = `exec "${process.execPath}" "${bin}" ${line} > /dev/full`;
          const options = { cwd, env: { PATH: process.env.PATH, ...env() } };
          execFile('sh', ['-c', command], options, (error, _, stderr) => resolve([line, error?.code, stderr]));
        }),
    );
    const words = 'The output could not be written: ENOSPC: no space left on device, write\n';
    expect(await Promise.all(ends)).to.deep.equal(lines.map((line) => [line, 1, words]));
  });

  it('exits with its usual code if the reader of stdout has gone or stderr cannot be written', async () => {
    const end = (rest: string) =>
      new Promise((resolve) => {
        const options = { cwd, env: { PATH: process.env.PATH, ...env() } };
        execFile('sh', ['-c', rest], options, (error, _, stderr) => resolve([error?.code ?? 0, stderr]));
      });
    const cli = `"${process.execPath}" "${bin}"`;
    expect(await end(`{ ${cli} openapi; echo $? >&2; } | true`)).to.deep.equal([0, '0\n']);
    expect(await end(`${cli} state --url nonsense 2> /dev/full`)).to.deep.equal([40, '']);
  });
});
