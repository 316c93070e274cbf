// Ranges and conditions, each in the words of RFC 9110.
import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { readRequest } from '../../src/public/conditional.ts';

const ten = { size: 10, etag: '"W1abc"' };
const read = (headers: IncomingHttpHeaders, method = 'GET', what: { size: number; etag: string | null } = ten) =>
  readRequest(method, headers, what);
const whole = { status: 200, start: 0, length: 10 };

describe('a request for a range', () => {
  for (const [range, start, length] of [
    ['bytes=0-3', 0, 4],
    ['bytes=4-', 4, 6],
    ['bytes=-3', 7, 3],
    ['bytes=9-9', 9, 1],
    ['bytes=0-99999999999999999999', 0, 10],
    ['bytes=-30', 0, 10],
    ['Bytes= 2-3 ', 2, 2],
  ] as const) {
    it(`gets that part for ${range}`, () => {
      expect(read({ range })).to.deep.equal({ status: 206, start, length });
    });
  }

  for (const range of ['bytes=10-', 'bytes=11-12', 'bytes=-0']) {
    it(`cannot be satisfied for ${range}`, () => {
      expect(read({ range })).to.deep.equal({ status: 416 });
    });
  }

  for (const range of [
    'bytes=0-1,3-4',
    'bytes=0-1,99-',
    'bytes=5-2',
    'bytes=a-b',
    'bytes=-',
    'bytes',
    'pages=1-2',
    '',
  ]) {
    it(`gets the whole for "${range}"`, () => {
      expect(read({ range })).to.deep.equal(whole);
    });
  }

  it('cannot be satisfied from an empty object', () => {
    const empty = { size: 0, etag: null };
    expect(read({ range: 'bytes=0-' }, 'GET', empty)).to.deep.equal({ status: 416 });
    expect(read({ range: 'bytes=-1' }, 'GET', empty)).to.deep.equal({ status: 416 });
    expect(read({}, 'GET', empty)).to.deep.equal({ status: 200, start: 0, length: 0 });
  });

  it('means nothing to HEAD', () => {
    expect(read({ range: 'bytes=0-3' }, 'HEAD')).to.deep.equal(whole);
  });

  it('holds only for the same bytes where If-Range says so', () => {
    const range = 'bytes=0-3';
    expect(read({ range, 'if-range': '"W1abc"' }).status).to.equal(206);
    expect(read({ range, 'if-range': '"W1other"' }).status).to.equal(200);
    expect(read({ range, 'if-range': 'W/"W1abc"' }).status).to.equal(200);
    expect(read({ range, 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT' }).status).to.equal(200);
    expect(read({ range, 'if-range': '"W1abc"' }, 'GET', { size: 10, etag: null }).status).to.equal(200);
  });
});

describe('a request with conditions', () => {
  it('gets nothing new when it has these bytes already', () => {
    for (const tag of ['"W1abc"', 'W/"W1abc"', '"x", "W1abc"', '*']) {
      expect(read({ 'if-none-match': tag }), tag).to.deep.equal({ status: 304 });
    }
    expect(read({ 'if-none-match': '"W1abc"' }, 'HEAD')).to.deep.equal({ status: 304 });
  });

  it('gets the object when it has other bytes, or its hash is unknown', () => {
    expect(read({ 'if-none-match': '"W1other"' })).to.deep.equal(whole);
    expect(read({ 'if-none-match': '"W1abc"' }, 'GET', { size: 10, etag: null })).to.deep.equal(whole);
  });

  it('gets the object after all when it wants no cached one', () => {
    expect(read({ 'if-none-match': '"W1abc"', 'cache-control': 'no-cache' })).to.deep.equal(whole);
  });

  it('is refused when it wants these bytes only and they are others', () => {
    expect(read({ 'if-match': '"W1other"' })).to.deep.equal({ status: 412 });
    expect(read({ 'if-match': 'W/"W1abc"' })).to.deep.equal({ status: 412 });
    expect(read({ 'if-match': '"W1abc"' }, 'GET', { size: 10, etag: null })).to.deep.equal({ status: 412 });
    expect(read({ 'if-match': '"x", "W1abc"' })).to.deep.equal(whole);
    expect(read({ 'if-match': '*' })).to.deep.equal(whole);
  });

  it('is judged by If-Match first, then If-None-Match, then its range', () => {
    const all = { 'if-match': '"W1abc"', 'if-none-match': '"W1abc"', range: 'bytes=0-1' };
    expect(read(all)).to.deep.equal({ status: 304 });
    expect(read({ ...all, 'if-match': '"x"' })).to.deep.equal({ status: 412 });
    expect(read({ ...all, 'if-none-match': '"x"' })).to.deep.equal({ status: 206, start: 0, length: 2 });
  });

  it('has its dates ignored, for there is no Last-Modified', () => {
    const date = 'Wed, 21 Oct 2035 07:28:00 GMT';
    expect(read({ 'if-modified-since': date, 'if-unmodified-since': date })).to.deep.equal(whole);
  });
});
