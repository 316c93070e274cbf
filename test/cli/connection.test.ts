// URLs of the operator API, from options and from the config.
import { expect } from 'chai';
import { parseUrl, urlFor } from '../../src/cli/connection.ts';
import { loadConfig } from '../../src/config/config.ts';

describe('connection', () => {
  it('accepts a URL with or without the base path', () => {
    expect(parseUrl('http://localhost:3335')).to.equal('http://localhost:3335');
    expect(parseUrl('http://localhost:3335/api/v1/')).to.equal('http://localhost:3335');
    expect(parseUrl('https://node.example/operator/')).to.equal('https://node.example/operator');
    for (const text of ['', 'localhost', 'http://', 'http://a:b@localhost', 'http://localhost?x', 'file:///etc']) {
      expect(() => parseUrl(text), text).to.throw('must look like');
    }
  });

  it('uses the loopback address of a node that listens on every address', async () => {
    const hosts = { '0.0.0.0': '127.0.0.1', '::': '[::1]', 'fe80::1': '[fe80::1]', 'node-7': 'node-7' };
    for (const [host, expected] of Object.entries(hosts)) {
      const config = loadConfig({ env: { DISTRIBUTOR__OPERATOR_API__HOST: host }, cwd: '/' });
      expect(await urlFor({}, async () => config)).to.equal(`http://${expected}:3335`);
    }
  });
});
