// Sources on real sockets: the best first, the next one if it fails; misbehaving sources are avoided and named.
import { expect } from 'chai';
import type { Network } from '../../src/sources/network.ts';
import { type Fetched, type SourceObject, type Sources, SourcesFailed } from '../../src/sources/source.ts';
import type { SourceFault } from '../../src/sources/source-fault.ts';
import { openSources, type SourcesOptions } from '../../src/sources/sources.ts';
import { type AskedSource, type Misbehaviour, type SourceDouble, startSourceDouble } from '../support/source-double.ts';
import { inTime, until } from '../support/until.ts';

const size = 200_000;
const file = Buffer.from(Array.from({ length: size }, (_, at) => (at * 5 + (at >> 7)) & 0xff));
const path = '/api/v1/files/42';
const signal = new AbortController().signal;

describe('sources', () => {
  let doubles: SourceDouble[];
  let opened: Sources[];
  let logged: string[];
  beforeEach(() => {
    doubles = [];
    opened = [];
    logged = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((sources) => sources.stop()));
    await Promise.all(doubles.map((double) => double.stop()));
  });

  /** A storage node that has object 42. */
  async function node(): Promise<SourceDouble> {
    const double = await startSourceDouble();
    double.files.set(path, file);
    doubles.push(double);
    return double;
  }

  function open(more: Partial<SourcesOptions> = {}): Sources {
    const sources = openSources({
      ...{ allowPrivateAddresses: true, requestTimeoutMs: 20_000, stallTimeoutMs: 20_000, avoidMs: 300_000 },
      ...{ checkResponseTimesMs: 3_600_000, maxConnections: 100, rememberMs: 60_000 },
      log: { warn: (line) => void logged.push(line) },
      ...more,
    });
    opened.push(sources);
    return sources;
  }

  const at = (...endpoints: string[]): SourceObject => ({ id: '42', size, origin: { kind: 'storage', endpoints } });
  const atUrl = (url: string, known: number | null = null): SourceObject => ({
    ...{ id: '42', size: known, origin: { kind: 'url', url } },
  });

  const failure = (fetching: Promise<unknown>): Promise<unknown> =>
    inTime(
      'a failure',
      fetching.then(
        () => new Error('It has not failed'),
        (error: unknown) => error,
      ),
    );

  const whole = async ({ body }: Fetched): Promise<Buffer> => Buffer.concat(await body.toArray());

  /** Fetches as a download does: continues where a body was cut, restarts if a source was wrong, and checks the bytes at the end. */
  async function download(sources: Sources, object: SourceObject): Promise<readonly string[]> {
    const from: string[] = [];
    let parts: Buffer[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const received = parts.reduce((sum, part) => sum + part.length, 0);
      if (received < size) {
        const { source, body } = await sources.fetch(object, { from: received, signal });
        from.push(source);
        try {
          for await (const part of body) parts.push(part as Buffer);
        } catch (error) {
          if ((error as SourceFault).kind === 'wrong') parts = [];
          continue;
        }
      }
      if (Buffer.concat(parts).equals(file)) return from;
      sources.reportBad(from.at(-1) ?? '', 'has sent wrong bytes');
      parts = [];
    }
    throw new Error('The download does not come to its end');
  }

  const get = ({ asked }: SourceDouble) => asked.filter(({ method }) => method === 'GET');
  const messages = (sources: Sources) =>
    sources.conditions.map(({ type, reason, message }) => ({ type, reason, message }));

  it('fetches from a storage node that has the object', async () => {
    const [without, withIt] = [await node(), await node()];
    without.files.clear();
    const sources = open();
    const fetched = await sources.fetch(at(without.url, `${withIt.url}/`), { from: 100, to: 199, signal });
    expect(fetched).to.include({ source: withIt.url, size, tag: null });
    expect((await whole(fetched)).equals(file.subarray(100, 200))).to.equal(true);
    expect(without.asked.map(({ method }) => method)).to.deep.equal(['HEAD']);
    expect(sources.conditions).to.deep.equal([]);
    expect(sources.metrics).to.have.lengthOf(1);
    expect(sources.metrics[0]).to.include({ source: withIt.url, requests: 1, failures: 0, bytes: 100, heads: 1 });
  });

  it('skips invalid endpoints', async () => {
    const good = await node();
    const strange = [
      '',
      'node',
      'ftp://a',
      'http://',
      'http://u:p@a/',
      'http://a/?q',
      `http://a/${'x'.repeat(2000)}`,
      '\0',
    ];
    const sources = open();
    expect(await download(sources, at(...strange, good.url))).to.deep.equal([good.url]);
    expect(sources.urls(at(...strange, good.url))).to.deep.equal([`${good.url}${path}`]);
    expect(sources.conditions).to.deep.equal([]);
    const error = await failure(sources.fetch(at(...strange), { from: 0, signal }));
    expect(error).to.be.an.instanceOf(SourcesFailed).and.include({ isAbsent: false });
  });

  it('says that no source has the object', async () => {
    const nodes = [await node(), await node()];
    for (const { files } of nodes) files.clear();
    const sources = open();
    const error = await failure(sources.fetch(at(...nodes.map(({ url }) => url)), { from: 0, signal }));
    expect(error).to.be.an.instanceOf(SourcesFailed).and.include({ isAbsent: true });
    expect(sources.conditions).to.deep.equal([]);
  });

  it('says why each source has failed', async () => {
    const [down, bad, without] = [await node(), await node(), await node()];
    await down.stop();
    bad.misbehaves = () => 'serverError';
    without.files.clear();
    const sources = open();
    const error = await failure(sources.fetch(at(down.url, bad.url, without.url), { from: 0, signal }));
    expect(error).to.be.an.instanceOf(SourcesFailed).and.include({ isAbsent: false });
    expect(String(error))
      .to.include(`${down.url} cannot be reached: ECONNREFUSED`)
      .and.include(`${bad.url} has answered 500`);
  });

  /** The misbehaviours that a viewer would notice when a whole object is requested. */
  const all: readonly Misbehaviour[] = [
    ...(['short', 'shortInChunks', 'long', 'wrongBytes', 'wrongLength', 'lengthIsNoNumber', 'missingRange'] as const),
    ...(['compressed', 'redirect', 'redirectWithoutTarget', 'endlessBody', 'endlessHead', 'endlessHints'] as const),
    ...(['hangBefore', 'hangInHead', 'dripHead', 'hangAfterHead', 'hangInBody', 'hangAfterBody', 'drip'] as const),
    ...(['reset', 'resetInBody', 'errorPage', 'serverError', 'notHttp'] as const),
  ];
  for (const misbehaviour of all) {
    it(`goes on with another source after ${misbehaviour}, and avoids and names the one at fault`, async () => {
      const [bad, good] = [await node(), await node()];
      bad.redirectsTo = path;
      bad.misbehaves = ({ method }) => (method === 'GET' ? misbehaviour : undefined);
      good.onAsked = ({ method }) => (method === 'HEAD' ? until(() => get(bad).length > 0) : undefined);
      const sources = open({ requestTimeoutMs: 3000, stallTimeoutMs: 500 });
      const from = await inTime('a download', download(sources, at(bad.url, good.url)));
      // This source has sent all bytes, and only fails to end.
      expect(from.at(-1)).to.equal(misbehaviour === 'hangAfterBody' ? bad.url : good.url);
      expect(messages(sources)).to.have.lengthOf(1);
      expect(messages(sources)[0]?.type).to.equal('SourceFailing');
      expect(messages(sources)[0]?.message).to.include(bad.url).and.not.include(good.url);
      expect(logged).to.have.lengthOf(1);
      const asked = bad.asked.length;
      for (let more = 0; more < 3; more += 1)
        expect(await download(sources, at(bad.url, good.url))).to.deep.equal([good.url]);
      expect(bad.asked.length, 'it is asked again').to.equal(asked);
      await until(() => bad.connections <= 1);
    });
  }

  it('continues with the remaining range, even if the next source mishandles ranges', async () => {
    for (const misbehaviour of ['wrongRange', 'otherSize', 'missingRange', 'ignoresRange'] as const) {
      const [cut, bad, good] = [await node(), await node(), await node()];
      const waits =
        (...others: SourceDouble[]) =>
        ({ method }: AskedSource) =>
          method === 'HEAD' ? until(() => others.every((other) => get(other).length > 0)) : undefined;
      cut.misbehaves = ({ method }) => (method === 'GET' ? 'resetInBody' : undefined);
      bad.misbehaves = ({ method }) => (method === 'GET' ? misbehaviour : undefined);
      bad.onAsked = waits(cut);
      good.onAsked = waits(cut, bad);
      const sources = open();
      const from = await inTime('a download', download(sources, at(cut.url, bad.url, good.url)));
      expect(from, misbehaviour).to.deep.equal([cut.url, good.url]);
      expect(get(good)[0]?.headers.range, misbehaviour).to.match(/^bytes=\d+-\d*$/);
      expect(messages(sources)[0]?.message).to.include(bad.url);
    }
  });

  it('tries a failed source if there is no other, and forgets the failure when it works', async () => {
    const only = await node();
    only.misbehaves = ({ method }) => (method === 'GET' ? 'resetInBody' : undefined);
    const sources = open();
    const { body } = await sources.fetch(at(only.url), { from: 0, signal });
    await failure(body.toArray());
    expect(messages(sources)).to.have.lengthOf(1);
    only.misbehaves = null;
    expect(await download(sources, at(only.url))).to.deep.equal([only.url]);
    expect(messages(sources)).to.deep.equal([]);
  });

  it('does not try a source that was wrong until the time is over', async () => {
    const only = await node();
    let nowMs = 0;
    const sources = open({ avoidMs: 1000, monotonicMs: () => nowMs });
    const fetched = await sources.fetch(at(only.url), { from: 0, signal });
    await whole(fetched);
    let notices = 0;
    sources.subscribe(() => {
      notices += 1;
    });
    sources.reportBad(fetched.source, 'has sent bytes with another hash');
    expect(notices).to.equal(1);
    expect(messages(sources)).to.deep.equal([
      { type: 'SourceFailing', reason: 'WrongBytes', message: `${only.url} has sent bytes with another hash.` },
    ]);
    const asked = only.asked.length;
    expect(sources.urls(at(only.url))).to.deep.equal([]);
    expect(await failure(sources.fetch(at(only.url), { from: 0, signal }))).to.be.an.instanceOf(SourcesFailed);
    expect(only.asked.length).to.equal(asked);
    nowMs = 1000;
    await whole(await sources.fetch(at(only.url), { from: 0, signal }));
    await until(() => sources.conditions.length === 0);
    expect(notices).to.equal(2);
  });

  it('asks ten at a time, and no more once one has the object', async () => {
    const one = await node();
    const endpoints = Array.from({ length: 30 }, (_, number) => `${one.url}/n${number}`);
    one.files.clear();
    one.files.set(`/n12${path}`, file);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    one.onAsked = () => held;
    const sources = open();
    const fetching = sources.fetch(at(...endpoints), { from: 0, signal });
    await until(() => one.asked.length === 10);
    release();
    const fetched = await inTime('the source that has it', fetching);
    expect(fetched.source).to.equal(`${one.url}/n12`);
    await whole(fetched);
    const heads = one.asked.filter(({ method }) => method === 'HEAD').length;
    expect(heads).to.be.within(11, 22);
    expect(get(one)).to.have.lengthOf(1);
    expect(one.mostConnections).to.be.at.most(12);
  });

  it('asks the storage node first that had the object, for a while', async () => {
    const [one, two] = [await node(), await node()];
    let nowMs = 1;
    const sources = open({ rememberMs: 1000, monotonicMs: () => nowMs });
    const { source } = await sources.fetch(at(one.url, two.url), { from: 0, to: 9, signal });
    const heads = () => [one, two].flatMap(({ asked }) => asked).filter(({ method }) => method === 'HEAD').length;
    await until(() => heads() === 2);
    for (let more = 0; more < 3; more += 1) {
      expect((await sources.fetch(at(one.url, two.url), { from: 0, to: 9, signal })).source).to.equal(source);
    }
    expect(heads()).to.equal(2);
    expect(sources.urls(at(one.url, two.url))[0]).to.equal(`${source}${path}`);
    nowMs = 1002;
    await sources.fetch(at(one.url, two.url), { from: 0, to: 9, signal });
    expect(heads()).to.be.greaterThan(2);
  });

  it('measures response times, and puts the fastest first', async () => {
    const [down, works] = [await node(), await node()];
    await down.stop();
    const sources = open({ checkResponseTimesMs: 50 });
    expect(await download(sources, at(down.url, works.url))).to.deep.equal([works.url]);
    expect(sources.urls(at(down.url, works.url))).to.have.lengthOf(2);
    sources.start();
    await until(() => works.asked.some(({ path: asked }) => asked === '/api/v1/version'));
    await until(() => sources.urls(at(down.url, works.url))[0] === `${works.url}${path}`);
  });

  it('limits concurrent requests, and gives each waiting one its turn', async () => {
    const one = await node();
    const sources = open({ maxConnections: 2 });
    const url = `${one.url}${path}`;
    const under: Fetched[] = [];
    const all = Array.from({ length: 6 }, async () => {
      const fetched = await sources.fetch(atUrl(url), { from: 0, signal });
      under.push(fetched);
    });
    const controller = new AbortController();
    const aborted = sources.fetch(atUrl(url), { from: 0, signal: controller.signal });
    await until(() => under.length === 2);
    controller.abort(new Error('has left'));
    expect(String(await failure(aborted))).to.equal('Error: has left');
    for (let turn = 2; turn < 6; turn += 1) {
      expect(one.asked.length).to.equal(turn);
      const next = under[turn - 2] as Fetched;
      if (turn % 2 === 0) await whole(next);
      else next.body.destroy();
      await until(() => under.length === turn + 1);
    }
    await Promise.all(all);
    expect(one.mostConnections).to.be.at.most(4);
  });

  it('ends with the reason of its signal at every stage, and when it is stopped', async () => {
    const one = await node();
    const sources = open({ maxConnections: 1 });
    for (const method of ['HEAD', 'GET']) {
      one.misbehaves = (asked) => (asked.method === method ? 'hangBefore' : undefined);
      const controller = new AbortController();
      const before = one.asked.length;
      const fetching = sources.fetch(at(one.url), { from: 0, signal: controller.signal });
      await until(() => one.asked.slice(before).some((asked) => asked.method === method));
      controller.abort(new Error(`at ${method}`));
      expect(String(await failure(fetching))).to.equal(`Error: at ${method}`);
    }
    one.misbehaves = null;
    expect(sources.conditions).to.deep.equal([]);
    const { body } = await sources.fetch(at(one.url), { from: 0, signal });
    const waiting = sources.fetch(at(one.url), { from: 0, signal });
    await sources.stop();
    expect(await failure(body.toArray())).to.be.an.instanceOf(SourcesFailed);
    expect(await failure(waiting)).to.be.an.instanceOf(SourcesFailed);
    expect(await failure(sources.fetch(at(one.url), { from: 0, signal }))).to.be.an.instanceOf(SourcesFailed);
    await until(() => one.connections === 0);
  });

  it('keeps the error of a body without a reader until it is read', async () => {
    const one = await node();
    one.misbehaves = ({ method }) => (method === 'GET' ? 'resetInBody' : undefined);
    const sources = open();
    const { body } = await sources.fetch(at(one.url), { from: 0, signal });
    await until(() => body.destroyed);
    expect(await failure(body.toArray())).to.include({ name: 'SourceFault' });
  });

  it('refuses endpoints with addresses that are not public, and says so', async () => {
    const inner = await node();
    const network: Network = { resolve: async () => [{ address: '127.0.0.1', family: 4 }], allows: () => false };
    const named = inner.url.replace('127.0.0.1', 'node.example');
    for (const [url, more] of [
      [inner.url, {}],
      [named, { network }],
    ] as const) {
      const sources = open({ allowPrivateAddresses: false, ...more });
      const error = await failure(sources.fetch(at(url), { from: 0, signal }));
      expect(error).to.be.an.instanceOf(SourcesFailed).and.include({ isAbsent: false });
      expect(messages(sources)[0]).to.include({ type: 'SourceFailing', reason: 'NotAllowed' });
    }
    expect(inner.mostConnections).to.equal(0);
  });

  describe('at an HTTP origin', () => {
    it('take size and validator from the origin where the directory states none', async () => {
      const origin = await node();
      origin.files.set('/films/one.mp4?token=hidden', file);
      origin.tag = '"v1"';
      const sources = open();
      const object = atUrl(`${origin.url}/films/one.mp4?token=hidden`);
      const fetched = await sources.fetch(object, { from: 0, signal });
      expect(fetched).to.include({ source: `${origin.url}/films/one.mp4`, size, tag: '"v1"' });
      expect((await whole(fetched)).equals(file)).to.equal(true);
      const rest = await sources.fetch(object, { from: 5, tag: fetched.tag, signal });
      expect((await whole(rest)).equals(file.subarray(5))).to.equal(true);
      origin.tag = '"v2"';
      const error = await failure(sources.fetch(object, { from: 5, tag: fetched.tag, signal }));
      expect(error).to.be.an.instanceOf(SourcesFailed);
      expect(String(error)).to.include('has another version now').and.not.include('hidden');
      expect(sources.conditions).to.deep.equal([]);
      expect(origin.asked.every(({ method }) => method === 'GET')).to.equal(true);
      expect(sources.metrics.map(({ source }) => source)).to.deep.equal([origin.url]);
    });

    it('check the size that the directory states', async () => {
      const origin = await node();
      const sources = open();
      const error = await failure(sources.fetch(atUrl(`${origin.url}${path}`, size - 1), { from: 0, signal }));
      expect(String(error)).to.include(`has ${size} bytes, not ${size - 1}`);
      expect(messages(sources)[0]).to.include({ reason: 'BadAnswer' });
    });

    it('say that it does not have the object', async () => {
      const origin = await node();
      const error = await failure(open().fetch(atUrl(`${origin.url}/other`), { from: 0, signal }));
      expect(error).to.be.an.instanceOf(SourcesFailed).and.include({ isAbsent: true });
    });

    it('avoid one URL that is wrong, and none of the others there', async () => {
      const origin = await node();
      origin.files.set('/other', file);
      const sources = open();
      sources.reportBad(`${origin.url}${path}`, 'has sent wrong bytes');
      expect(await failure(sources.fetch(atUrl(`${origin.url}${path}`), { from: 0, signal }))).to.be.an.instanceOf(
        SourcesFailed,
      );
      expect(sources.urls(atUrl(`${origin.url}${path}`))).to.deep.equal([]);
      expect(
        (await whole(await sources.fetch(atUrl(`${origin.url}/other`), { from: 0, signal }))).equals(file),
      ).to.equal(true);
      expect(sources.urls(atUrl(`${origin.url}/other`))).to.deep.equal([`${origin.url}/other`]);
    });

    it('follow its redirects', async () => {
      const [origin, mirror] = [await node(), await node()];
      origin.misbehaves = () => 'redirect';
      origin.redirectsTo = `${mirror.url}${path}`;
      const fetched = await open().fetch(atUrl(`${origin.url}/moved`, size), { from: 7, signal });
      expect((await whole(fetched)).equals(file.subarray(7))).to.equal(true);
    });
  });
});
