// The files of the console: headers and completeness.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../../../src/base/version.ts';
import { consoleModules } from '../../../src/operator/http/console-files.ts';
import { type OperatorSide, startOperatorSide } from '../../support/harness.ts';

describe('console files', () => {
  let operator: OperatorSide;
  before(async () => {
    operator = await startOperatorSide();
  });
  after(() => operator.close());

  const get = (path: string, headers = {}) => operator.call(path, { method: 'GET', headers });

  it('need no token, under a policy without foreign and inline resources', async () => {
    const { status, headers, text } = await get('/');
    expect([status, headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8']);
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).to.include.members(["default-src 'none'", "frame-ancestors 'none'", "script-src 'self'"]);
    expect(policy.join()).not.to.match(/unsafe|\*|http/);
    expect(headers).to.include({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(text).not.to.match(/<script(?! type="module" src="\/)| style=|<style| on\w+=|https?:/);
  });

  it('include every module of the page and its imports, under exact paths', async () => {
    const own = readdirSync(join(packageRoot, 'src/console')).filter((name) => name.endsWith('.ts'));
    const listed = consoleModules.filter((name) => name.startsWith('src/console/'));
    expect([...listed].sort()).to.deep.equal(own.map((name) => `src/console/${name.slice(0, -3)}`).sort());
    for (const name of consoleModules) {
      const { status, headers, text } = await get(`/console/${name}.js`);
      expect([status, headers['content-type']], name).to.deep.equal([200, 'text/javascript; charset=utf-8']);
      for (const [, target = ''] of text.matchAll(/^(?:import|export) [^;]*?from '(.*?)'/gm)) {
        const path = new URL(target, `http://node/console/${name}.js`).pathname;
        expect((await get(path)).status, `${name} imports ${target}`).to.equal(200);
      }
    }
  });

  it('include no other files', async () => {
    for (const path of [
      '/console',
      '/console/',
      '/console/../package.json',
      '/console/src/operator/http/operator-api.js',
      '/index.html',
      '/reference',
    ]) {
      expect((await get(path)).status, path).to.equal(404);
    }
    const { status, headers } = await operator.call('/', { method: 'POST' });
    expect([status, headers.allow]).to.deep.equal([405, 'GET, HEAD']);
  });

  it('are refused to pages of another host', async () => {
    expect((await get('/', { host: 'evil.example' })).status).to.equal(403);
    expect((await get('/', { origin: 'https://evil.example' })).status).to.equal(403);
  });
});
