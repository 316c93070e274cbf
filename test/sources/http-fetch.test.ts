// One request to a source on a real socket: ranges, every misbehaviour, redirects, and addresses that are not allowed.
import { expect } from 'chai';
import { isThere, openRange, type RangeRequest } from '../../src/sources/http-fetch.ts';
import { type Address, isPublicAddress, type Network } from '../../src/sources/network.ts';
import { SourceFault } from '../../src/sources/source-fault.ts';
import { type Misbehaviour, type SourceDouble, startSourceDouble } from '../support/source-double.ts';
import { inTime, until } from '../support/until.ts';

const size = 300_000;
const file = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
const limits = { allowPrivateAddresses: true, requestTimeoutMs: 20_000, stallTimeoutMs: 20_000 };
const shortLimits = { ...limits, requestTimeoutMs: 300, stallTimeoutMs: 300 };

/** The bytes before the end or the error. */
interface Outcome {
  readonly bytes: Buffer;
  readonly error: unknown;
}

describe('a request to a source', () => {
  let double: SourceDouble;
  beforeEach(async () => {
    double = await startSourceDouble();
    double.files.set('/film', file);
  });
  afterEach(() => double.stop());

  const ask = (more: Partial<RangeRequest> = {}): RangeRequest => ({
    ...limits,
    ...{ from: 0, size, signal: new AbortController().signal },
    ...more,
  });

  async function fetched(request: RangeRequest, url = `${double.url}/film`): Promise<Outcome> {
    const parts: Buffer[] = [];
    const run = async (): Promise<Outcome> => {
      try {
        const { body } = await openRange(url, request);
        for await (const part of body) parts.push(part as Buffer);
        return { bytes: Buffer.concat(parts), error: null };
      } catch (error) {
        return { bytes: Buffer.concat(parts), error };
      }
    };
    return inTime('the end of a request', run());
  }

  async function faultOf(request: RangeRequest, url?: string): Promise<SourceFault> {
    const { error } = await fetched(request, url);
    if (!(error instanceof SourceFault)) throw error ?? new Error('There was no fault');
    return error;
  }

  it('gets all of an object, and says what the source has stated', async () => {
    double.tag = '"v1"';
    const { body, ...stated } = await openRange(`${double.url}/film`, ask({ size: null }));
    expect(stated).to.deep.equal({ size, type: 'video/mp4', tag: '"v1"' });
    expect(Buffer.concat(await body.toArray()).equals(file)).to.equal(true);
    expect(double.asked[0]?.headers).to.include({ 'accept-encoding': 'identity' }).and.not.have.property('range');
  });

  const ranges: readonly (readonly [from: number, to: number | undefined])[] = [
    [0, undefined],
    [0, 0],
    [0, size - 1],
    [0, size + 10],
    [1, undefined],
    [size - 1, undefined],
    [1000, 1999],
  ];
  for (const known of [size, null]) {
    it(`gets exactly the range requested, of ${known ?? 'unknown'} size`, async () => {
      for (const [from, to] of ranges) {
        const { bytes, error } = await fetched(ask({ from, to, size: known }));
        expect(error, `${from}-${to}`).to.equal(null);
        expect(bytes.equals(file.subarray(from, (to ?? size) + 1)), `${from}-${to}`).to.equal(true);
      }
    });
  }

  it('gets an empty object', async () => {
    double.files.set('/empty', Buffer.alloc(0));
    expect(await fetched(ask({ size: 0 }), `${double.url}/empty`)).to.deep.equal({
      bytes: Buffer.alloc(0),
      error: null,
    });
  });

  it('rejects a range outside the object before it sends a request', async () => {
    for (const request of [ask({ from: size }), ask({ from: 5, to: 4 }), ask({ from: -1 }), ask({ from: 0.5 })]) {
      const { error } = await fetched(request);
      expect(error).to.be.an.instanceOf(RangeError);
    }
    expect(double.asked).to.deep.equal([]);
  });

  /** What each is called, where the request is for everything, and for the range from the middle on; null: it succeeds. */
  const faults: Readonly<Record<Misbehaviour, readonly [whole: RegExp | null, part: RegExp | null]>> = {
    short: [/^failed: (ends|has closed)/, /^failed: (ends|has closed)/],
    shortInChunks: [/^failed: ends after 150000 of 300000/, /^failed: ends after 75000 of 150000/],
    long: [/^wrong: sends more than the 300000/, /^wrong: sends more than the 150000/],
    overflowing: [null, null],
    wrongBytes: [null, null],
    wrongLength: [/^wrong: has 300010 bytes, not 300000/, /^wrong: sends 150010 bytes, not 150000/],
    lengthIsNoNumber: [/^wrong: sends something that is not HTTP/, /^wrong: sends something that is not HTTP/],
    wrongRange: [null, /^wrong: has 300001 bytes, not 300000/],
    otherSize: [null, /^wrong: has 300001 bytes, not 300000/],
    missingRange: [/^wrong: sends a range that was not requested/, /^wrong: does not say which range/],
    ignoresRange: [null, /^wrong: ignores the range/],
    compressed: [/^wrong: sends a compressed/, /^wrong: sends a compressed/],
    redirect: [/^wrong: redirects$/, /^wrong: redirects$/],
    redirectWithoutTarget: [/^wrong: redirects without a target/, /^wrong: redirects without a target/],
    endlessBody: [/^wrong: sends more than/, /^wrong: sends more than/],
    endlessHead: [/^wrong: sends a head that is too large/, /^wrong: sends a head that is too large/],
    endlessHints: [/^failed: has not answered within 300 ms/, /^failed: has not answered within 300 ms/],
    hangBefore: [/^failed: has not answered within 300 ms/, /^failed: has not answered within 300 ms/],
    hangInHead: [/^failed: has not answered within 300 ms/, /^failed: has not answered within 300 ms/],
    dripHead: [/^failed: has not answered within 300 ms/, /^failed: has not answered within 300 ms/],
    hangAfterHead: [/^failed: has sent nothing for 300 ms/, /^failed: has sent nothing for 300 ms/],
    hangInBody: [/^failed: has sent (nothing|only \d+ bytes) for 300 ms/, /^failed: has sent (nothing|only)/],
    hangAfterBody: [/^failed: has sent (nothing|only \d+ bytes) for 300 ms/, /^failed: has sent (nothing|only)/],
    drip: [/^failed: has sent only \d+ bytes for 300 ms/, /^failed: has sent only \d+ bytes for 300 ms/],
    reset: [
      /^failed: (has closed|cannot be reached: ECONNRESET)/,
      /^failed: (has closed|cannot be reached: ECONNRESET)/,
    ],
    resetInBody: [/^failed: /, /^failed: /],
    errorPage: [/^wrong: has 30 bytes, not 300000/, /^wrong: ignores the range/],
    serverError: [/^failed: has answered 500$/, /^failed: has answered 500$/],
    notHttp: [/^wrong: sends something that is not HTTP/, /^wrong: sends something that is not HTTP/],
  };
  const late = /within 300 ms|for 300 ms|\(nothing\|only/;

  for (const [name, words] of Object.entries(faults) as [Misbehaviour, (typeof faults)[Misbehaviour]][]) {
    for (const [at, from] of [0, size / 2].entries()) {
      const expected = words[at] ?? null;
      it(`survives a source with ${name}, from ${from}: ${expected?.source ?? 'a good answer'}`, async () => {
        double.misbehaves = () => name;
        double.redirectsTo = '/film';
        const isLate = expected !== null && late.test(expected.source);
        const { bytes, error } = await fetched(ask({ from, maxRedirects: 0, ...(isLate && shortLimits) }));
        expect(bytes.length).to.be.at.most(size - from);
        if (expected === null) {
          expect(error).to.equal(null);
          expect(bytes.length).to.equal(size - from);
          if (name !== 'wrongBytes') expect(bytes.equals(file.subarray(from))).to.equal(true);
          return;
        }
        if (!(error instanceof SourceFault)) throw error ?? new Error('There was no fault');
        expect(`${error.kind}: ${error.message}`).to.match(expected);
        // After a complete answer, the connection is kept for the next request.
        const ended = ['shortInChunks', 'long', 'errorPage', 'redirect', 'redirectWithoutTarget', 'serverError'];
        const kept = ended.includes(name) ? 1 : 0;
        await until(() => double.connections <= kept);
        expect(double.sent).to.be.below(8_000_000);
      });
    }
  }

  it('keeps no bytes beyond an answer for the next one', async () => {
    double.misbehaves = () => 'overflowing';
    await fetched(ask());
    double.misbehaves = null;
    const { bytes, error } = await fetched(ask());
    expect(error).to.equal(null);
    expect(bytes.equals(file)).to.equal(true);
  });

  it('does not time out while its reader pauses', async () => {
    const { body } = await openRange(`${double.url}/film`, ask({ stallTimeoutMs: 200 }));
    body.read(0);
    await until(() => body.readableLength > 0);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(Buffer.concat(await body.toArray()).equals(file)).to.equal(true);
  });

  it('buffers little of a large answer that is not read', async () => {
    double.misbehaves = () => 'endlessBody';
    const { body } = await openRange(`${double.url}/film`, ask({ size: 1e12 }));
    body.read(0);
    await until(() => body.readableLength > 0);
    // No more than sockets buffer.
    let before = -1;
    await until(async () => {
      const isStill = before === double.sent;
      before = double.sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isStill;
    });
    expect(body.readableLength).to.be.below(300_000);
    body.on('error', () => {}).destroy();
    await until(() => double.connections === 0);
  });

  it('ends with the reason of its signal, at every stage', async () => {
    const reason = new Error('the viewer has left');
    for (const name of ['hangBefore', 'hangInHead', 'hangAfterHead', 'hangInBody'] as const) {
      const controller = new AbortController();
      const asked = double.asked.length;
      double.misbehaves = () => name;
      const outcome = fetched(ask({ signal: controller.signal }));
      await until(() => double.asked.length > asked);
      controller.abort(reason);
      expect((await outcome).error, name).to.equal(reason);
      await until(() => double.connections === 0);
    }
    const { error } = await fetched(ask({ signal: AbortSignal.abort(reason) }));
    expect(error).to.equal(reason);
  });

  it('notices another version by its strong validator', async () => {
    double.tag = '"v2"';
    expect((await fetched(ask({ from: 1, tag: '"v2"' }))).error).to.equal(null);
    expect(await faultOf(ask({ from: 1, tag: '"v1"' }))).to.include({ kind: 'changed' });
    double.tag = 'W/"v2"';
    expect((await openRange(`${double.url}/film`, ask())).tag).to.equal(null);
    expect(await faultOf(ask({ from: 1, tag: '"v2"' }))).to.include({ kind: 'changed' });
  });

  it('says that a source does not have the object', async () => {
    expect(await faultOf(ask(), `${double.url}/other`)).to.include({ kind: 'absent' });
    for (const method of ['HEAD', 'GET'] as const) {
      expect(await isThere(method, `${double.url}/film`, ask())).to.equal(true);
      expect(await isThere(method, `${double.url}/other`, ask())).to.equal(false);
    }
    await until(() => double.connections <= 1);
  });

  it('says that a source is down', async () => {
    const { url } = double;
    await double.stop();
    const fault = await faultOf(ask(), `${url}/film`);
    expect(fault).to.include({ kind: 'failed', message: 'cannot be reached: ECONNREFUSED' });
    double = await startSourceDouble();
  });

  it('takes only plain http and https URLs', async () => {
    const texts = [
      '',
      'film',
      'ftp://a/b',
      'file:///etc/passwd',
      'data:,x',
      'http://user:word@127.0.0.1/',
      'http://a:b',
    ];
    for (const text of [...texts, 'http://', 'https://user@a/', `http://a/${'x'.repeat(10_000)}`]) {
      expect(await faultOf(ask(), text), text).to.include({ kind: 'wrong', reason: 'NotAllowed' });
    }
  });

  describe('to an address that is not public', () => {
    /** Names, and the addresses that they have. Only the double's own address is allowed. */
    const names = new Map<string, readonly string[]>();
    const resolved: string[] = [];
    const network: Network = {
      resolve: async (name): Promise<Address[]> => {
        resolved.push(name);
        return (names.get(name) ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      },
      allows: (address) => address === '127.0.0.1' || isPublicAddress(address),
    };
    let inner: SourceDouble;
    before(async () => {
      inner = await startSourceDouble('127.0.0.2');
      inner.files.set('/film', file);
    });
    after(() => inner.stop());
    beforeEach(() => {
      names.clear();
      resolved.length = 0;
    });

    const port = (url: string) => new URL(url).port;

    it('is refused in every spelling', async () => {
      const hosts = [
        '127.0.0.2',
        '127.2',
        '0x7f000002',
        '2130706434',
        '[::1]',
        '[::ffff:127.0.0.2]',
        '[::ffff:7f00:2]',
      ];
      for (const host of [...hosts, '0.0.0.0', '[::]', '169.254.169.254', '10.1.2.3', '[fe80::1]', '[fd00::1]']) {
        const fault = await faultOf(ask({ network }), `http://${host}:${port(inner.url)}/film`);
        expect(fault, host).to.include({ kind: 'wrong', reason: 'NotAllowed' });
      }
      expect(inner.asked).to.deep.equal([]);
      expect(inner.mostConnections).to.equal(0);
    });

    it('is refused after name resolution', async () => {
      for (const address of ['127.0.0.2', '::1', '10.0.0.1', '::ffff:127.0.0.2', 'fe80::1%lo']) {
        names.set('node.example', [address]);
        const fault = await faultOf(ask({ network }), `http://node.example:${port(inner.url)}/film`);
        expect(fault, address).to.include({ kind: 'wrong', reason: 'NotAllowed' });
      }
      expect(inner.mostConnections).to.equal(0);
    });

    it('is skipped if the name also has an allowed one', async () => {
      names.set('node.example', ['127.0.0.2', '127.0.0.1']);
      const { error } = await fetched(ask({ network }), `http://node.example:${port(double.url)}/film`);
      expect(error).to.equal(null);
      expect(double.asked).to.have.lengthOf(1);
    });

    it('is refused when the name changes its address between two requests', async () => {
      const url = `http://rebound.example:${port(double.url)}/film`;
      names.set('rebound.example', ['127.0.0.1']);
      expect((await fetched(ask({ network, from: 1 }), url)).error).to.equal(null);
      names.set('rebound.example', ['127.0.0.2']);
      await double.stop();
      expect(await faultOf(ask({ network, from: 2 }), url)).to.include({ reason: 'NotAllowed' });
      double = await startSourceDouble();
      // Each connection has one resolution, which is the one that is checked.
      expect(resolved).to.have.lengthOf.within(2, 3);
      expect(inner.mostConnections).to.equal(0);
    });

    it('is refused after a redirect', async () => {
      double.misbehaves = () => 'redirect';
      names.set('inner.example', ['127.0.0.2']);
      const targets = [`${inner.url}/film`, `http://inner.example:${port(inner.url)}/film`, 'http://[::1]/'];
      for (const target of [...targets, 'http://169.254.169.254/latest', 'file:///etc/passwd', 'http://u:p@a/']) {
        double.redirectsTo = target;
        expect(await faultOf(ask({ network }), `${double.url}/film`), target).to.include({ reason: 'NotAllowed' });
      }
      expect(inner.mostConnections).to.equal(0);
    });

    it('is used if the operator allows it', async () => {
      const { error } = await fetched(ask(), `${inner.url}/film`);
      expect(error).to.equal(null);
    });
  });

  it('follows a few redirects, and not one where none is allowed', async () => {
    double.redirectsTo = '/film';
    double.misbehaves = ({ path }) => (path === '/film' ? undefined : 'redirect');
    expect((await fetched(ask({ from: 1 }), `${double.url}/moved`)).bytes.equals(file.subarray(1))).to.equal(true);
    expect(double.asked.at(-1)?.headers.range).to.equal('bytes=1-299999');
    expect(await faultOf(ask({ maxRedirects: 0 }), `${double.url}/moved`)).to.include({ message: 'redirects' });
    double.misbehaves = () => 'redirect';
    const before = double.asked.length;
    expect(await faultOf(ask())).to.include({ kind: 'wrong', message: 'redirects' });
    expect(double.asked.length - before).to.equal(4);
  });
});

describe('the public internet', () => {
  it('has no private, loopback, link-local or otherwise special address', () => {
    const special = [
      ...['0.0.0.0', '10.255.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '169.254.169.254', '172.16.0.1'],
      ...['172.31.255.255', '192.0.0.1', '192.168.0.1', '198.18.0.1', '224.0.0.1', '239.1.1.1', '240.0.0.1'],
      ...['255.255.255.255', '::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::8.8.8.8', 'fe80::1', 'fe80::1%eth0'],
      ...['fc00::1', 'fdff::1', 'fec0::1', 'ff02::1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1'],
      ...['', 'localhost', '1.2.3', '1.2.3.4.5', '2000::1%lo'],
    ];
    expect(special.filter(isPublicAddress)).to.deep.equal([]);
    const open = ['1.1.1.1', '8.8.8.8', '100.63.0.1', '100.128.0.1', '172.15.0.1', '172.32.0.1', '223.255.255.255'];
    const open6 = ['2606:4700:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888'];
    expect([...open, ...open6].filter((address) => !isPublicAddress(address))).to.deep.equal([]);
  });
});
