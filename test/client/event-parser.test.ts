// Server-Sent Events, read from pieces.
import { expect } from 'chai';
import fc from 'fast-check';
import { EventParser } from '../../src/client/event-parser.ts';
import { eventText } from '../../src/operator/events/event-buffer.ts';

const stream = [
  'retry: 1500\n',
  eventText('state', { words: 'a\nb: c' }),
  ': a comment\n\n',
  eventText('command', { n: 1 }, '77-1'),
  'id: 77-9\n\n',
  'data: one\ndata:two\r\n\r\n',
  'data: not finished',
].join('');

describe('the event parser', () => {
  const expected = [
    { name: 'state', data: '{"words":"a\\nb: c"}', lastEventId: '' },
    { name: 'command', data: '{"n":1}', lastEventId: '77-1' },
    { name: 'message', data: 'one\ntwo', lastEventId: '77-9' },
  ];

  it('parses a stream cut at any byte', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const parser = new EventParser();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const events = places.slice(1).flatMap((end, index) => parser.push(stream.slice(places[index], end)));
        expect(events).to.deep.equal(expected);
        expect([parser.lastEventId, parser.retryMs]).to.deep.equal(['77-9', 1500]);
      }),
    );
  });

  it('scans a long line once, in any number of pieces', () => {
    const parser = new EventParser();
    const { split } = String.prototype;
    let lookedThrough = 0;
    // biome-ignore lint/suspicious/noExplicitAny: `split` takes what it is given
    String.prototype.split = function (this: string, ...args: any) {
      lookedThrough += this.length;
      return Reflect.apply(split, this, args);
    };
    try {
      parser.push('data: ');
      for (let piece = 0; piece < 1000; piece += 1) parser.push('x'.repeat(1000));
      expect(parser.push('\n\n')[0]?.data).to.have.length(1_000_000);
    } finally {
      String.prototype.split = split;
    }
    expect(lookedThrough).to.be.lessThan(1_010_000);
  });

  it('ignores unknown fields and invalid ids and times', () => {
    const parser = new EventParser();
    expect(parser.push('nonsense\nid: a\0b\nretry: soon\ndata\n\n')).to.deep.equal([
      { name: 'message', data: '', lastEventId: '' },
    ]);
    expect(parser.retryMs).to.equal(null);
  });
});
