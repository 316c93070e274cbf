// Facts and settings in, one word out: every word, and what each of them means on the wire.
import { expect } from 'chai';
import {
  type AnswerWord,
  answer,
  answerBrought,
  answers,
  type DataObject,
  isDescribed,
  judgeCopy,
  verifiedHeaders,
} from '../../machines/answer.ts';
import { coverage } from '../../machines/settings.ts';

const facts = { size: 10, mtimeMs: 1000.5, ctimeMs: 2000.5, ino: 7 };

const object: DataObject = {
  id: '42',
  path: '/files/42',
  size: 10,
  type: 'video/mp4',
  hash: 'W1abc',
  verified: facts,
  accepted: true,
  buckets: ['1:0', '1:1'],
};

const workersOf = (bucketId: string) => (bucketId === '1:1' ? [3] : []);
const covers = (workerId: number | null, buckets: string[] | null) => coverage({ workerId, buckets }, workersOf);
const everything = () => true;

describe('the answer to an asset request', () => {
  it('is one word for every case', () => {
    expect(answer('unknown', everything)).to.equal('unknown');
    expect(answer('undecided', everything)).to.equal('undecided');
    expect(answer({ ...object, accepted: false }, everything)).to.equal('unaccepted');
    expect(answer(object, () => false)).to.equal('elsewhere');
    expect(answer({ ...object, path: null }, everything)).to.equal('miss');
    expect(answer({ ...object, path: null }, () => false)).to.equal('elsewhere');
    expect(answer(object, everything)).to.equal('hit');
  });

  it('is unaccepted for every object that was not uploaded, wherever it is distributed', () => {
    expect(answer({ ...object, accepted: false }, () => false)).to.equal('unaccepted');
  });

  it('follows the settings: chosen buckets, else those of the worker, else none', () => {
    expect(answer(object, covers(null, ['1:0']))).to.equal('hit');
    expect(answer(object, covers(3, ['2:0']))).to.equal('elsewhere');
    expect(answer(object, covers(3, null))).to.equal('hit');
    expect(answer(object, covers(4, null))).to.equal('elsewhere');
    expect(answer(object, covers(null, null))).to.equal('elsewhere');
  });

  it('is, for an object that must be fetched, what has come of that', () => {
    expect(answerBrought('arriving', 0, 0)).to.equal('miss');
    expect(answerBrought('arriving', 99, 100)).to.equal('pending');
    expect(answerBrought('arriving', 100, 100)).to.equal('miss');
    expect(answerBrought('here', 0, 0)).to.equal('hit');
    for (const word of ['pass', 'unavailable', 'undecided'] as const) expect(answerBrought(word, 0, 0)).to.equal(word);
  });

  it('needs no fetching for a HEAD if the directory states size and type', () => {
    expect(isDescribed(object)).to.equal(true);
    expect([isDescribed({ ...object, size: null }), isDescribed({ ...object, type: null })]).to.deep.equal([
      false,
      false,
    ]);
  });

  it('has one row of status and headers for every word', () => {
    const rows = Object.entries(answers).map(([word, { status, headers }]) => [
      word,
      status,
      headers['X-Cache'],
      headers['X-Data-Source'],
      headers['Cache-Control'],
      headers['Retry-After'],
    ]);
    const briefly = 'max-age=180, must-revalidate';
    expect(rows).to.deep.equal([
      ['hit', 200, 'hit', 'local', briefly, undefined],
      ['pending', 200, 'pending', 'local', briefly, undefined],
      ['miss', 200, 'miss', 'local', briefly, undefined],
      ['pass', 200, 'miss', 'external', briefly, undefined],
      ['unknown', 404, undefined, undefined, 'no-store', undefined],
      ['unaccepted', 404, undefined, undefined, 'no-store', undefined],
      ['absent', 404, undefined, undefined, 'no-store', undefined],
      ['elsewhere', 421, undefined, undefined, 'no-store', undefined],
      ['undecided', 503, undefined, undefined, 'no-store', '5'],
      ['unavailable', 502, undefined, undefined, 'no-store', '30'],
    ]);
  });

  it('has a message where there is no object to send, and only there', () => {
    for (const word of Object.keys(answers) as AnswerWord[]) {
      expect(answers[word].message === null, word).to.equal(answers[word].status === 200);
    }
  });
});

describe('the verdict on a copy', () => {
  it('is verified only while the file is the one that was checked', () => {
    expect(judgeCopy(object, facts)).to.equal('verified');
    for (const other of [{ mtimeMs: 1000.75 }, { ctimeMs: 2000.75 }, { ino: 8 }])
      expect(judgeCopy(object, { ...facts, ...other }), JSON.stringify(other)).to.equal('unverified');
  });

  it('is unverified until it is checked and its hash is known', () => {
    expect(judgeCopy({ ...object, verified: null }, facts)).to.equal('unverified');
    expect(judgeCopy({ ...object, hash: null }, facts)).to.equal('unverified');
    expect(judgeCopy({ ...object, size: null, verified: null }, { ...facts, size: 7 })).to.equal('unverified');
  });

  it('is wrong if its size is not that in the directory', () => {
    expect(judgeCopy(object, { ...facts, size: 11 })).to.equal('wrong');
    expect(judgeCopy({ ...object, size: 12 }, facts)).to.equal('wrong');
  });

  it('may be kept for a year, under its content hash, once verified', () => {
    expect(verifiedHeaders('W1abc')).to.deep.equal({
      ETag: '"W1abc"',
      'Cache-Control': 'max-age=31536000, immutable',
    });
  });
});
