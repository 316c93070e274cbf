// Which Host and Origin are ours, and which only look like it.
import { expect } from 'chai';
import { createHostCheck, hostOf, type Whereabouts } from '../../../src/operator/http/origin.ts';

const check = createHostCheck({
  host: '0.0.0.0',
  allowedHosts: ['node.example', 'Proxy.Example:8443', '2001:db8::1', 'müller.example'],
});
const refusal = (request: Partial<Whereabouts>) =>
  check({ hosts: ['localhost'], origin: undefined, localAddress: '192.0.2.1', ...request });

describe('the Host of a request', () => {
  it('is ours by a loopback name, by the config, or by the address that was connected to; with any port', () => {
    const ours = ['localhost', 'LOCALHOST:3335', 'localhost.', '127.0.0.1', '127.8.9.10:80', '[::1]', '[::1]:3335'];
    const known = ['node.example:1', 'NODE.example.', 'proxy.example', '[2001:DB8:0::1]:3335', 'xn--mller-kva.example'];
    const sameMachine = ['192.0.2.1', '192.0.2.1:3335', '0.0.0.0:3335', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]'];
    for (const host of [...ours, ...known, ...sameMachine]) expect(refusal({ hosts: [host] }), host).to.equal(null);
    const mapped = { hosts: ['192.0.2.1'], localAddress: '::ffff:192.0.2.1' };
    expect(refusal(mapped)).to.equal(null);
  });

  it('is not ours by any other name', () => {
    const names = [
      '',
      'evil.example',
      'localhost.evil.example',
      'evil-localhost',
      'node.example.evil',
      '192.0.2.2',
      '[::2]',
    ];
    const tricks = [
      'localhost@evil.example',
      'evil.example@localhost',
      'localhost/',
      'localhost#',
      'localhost:3335:1',
      '::1',
      '[::1',
    ];
    const odd = [
      'local host',
      'localhost:x',
      'localhost:999999',
      '[localhost]',
      'localhost%00',
      'lоcalhost',
      '1',
      'null',
    ];
    for (const host of [...names, ...tricks, ...odd]) expect(refusal({ hosts: [host] }), host).to.be.a('string');
  });

  it('must be there, and every one of several must be ours', () => {
    expect(refusal({ hosts: [] })).to.equal('The request names no Host');
    expect(refusal({ hosts: ['localhost', 'evil.example'] })).to.include('Host "evil.example"');
  });

  it('is refused with instructions', () => {
    expect(refusal({ hosts: ['evil.example'] })).to.equal(
      'Host "evil.example" is not this node\'s: operatorApi.allowedHosts lists further names',
    );
  });

  it('is normalized', () => {
    expect(hostOf('[0:0::1]:80')).to.equal('::1');
    expect(hostOf('Example.COM.:80')).to.equal('example.com');
    expect(hostOf('2130706433')).to.equal('127.0.0.1');
  });

  it('is not parsed if it is longer than a name can be', () => {
    const longest = `${'a.'.repeat(126)}a`;
    expect(hostOf(`${longest}.:65535`)).to.equal(longest);
    const parsed: unknown[] = [];
    const { canParse } = URL;
    URL.canParse = (url) => {
      parsed.push(url);
      return canParse(url);
    };
    try {
      expect(hostOf(`xn--a-${'0a'.repeat(10_000)}`)).to.equal(null);
      expect(refusal({ hosts: [`${'a'.repeat(300)}.localhost`] })).to.be.a('string');
      expect(refusal({ origin: `http://${'a'.repeat(300)}.localhost` })).to.be.a('string');
    } finally {
      URL.canParse = canParse;
    }
    expect(parsed).to.deep.equal(['http://localhost']);
  });
});

describe('the Origin of a request', () => {
  it('may be absent, or one of the node', () => {
    for (const origin of [
      undefined,
      'http://localhost:8080',
      'https://node.example',
      'http://[::1]:3335',
      'http://192.0.2.1',
    ]) {
      expect(refusal({ origin }), origin).to.equal(null);
    }
  });

  it('is refused where it is null, another site, or not an origin', () => {
    const others = [
      'null',
      '',
      'http://evil.example',
      'http://192.0.2.2',
      'http://localhost.evil.example',
      'file://localhost',
    ];
    const tricks = [
      'localhost',
      'http://localhost@evil.example',
      'http://localhost/evil',
      'http://localhost http://evil.example',
    ];
    for (const origin of [...others, ...tricks, 'chrome-extension://localhost', 'http://']) {
      expect(refusal({ origin }), origin).to.be.a('string');
    }
  });
});
