// What is kept of events, and what of them a reader has missed.
import { expect } from 'chai';
import { EventBuffer, eventText } from '../../../src/operator/events/event-buffer.ts';

describe('the event buffer', () => {
  const numbers = (events: readonly { readonly number: number }[] | null) => events?.map(({ number }) => number);

  it('returns the events after a number, unless some have been dropped', () => {
    const buffer = new EventBuffer({ maxBytes: 1000, maxCount: 3 });
    expect(numbers(buffer.after(0, 0))).to.deep.equal([]);
    for (let number = 1; number <= 5; number++) buffer.add({ number, text: 'x' });
    expect(numbers(buffer.all)).to.deep.equal([3, 4, 5]);
    expect(numbers(buffer.after(5, 5))).to.deep.equal([]);
    expect(numbers(buffer.after(4, 5))).to.deep.equal([5]);
    expect(numbers(buffer.after(2, 5))).to.deep.equal([3, 4, 5]);
    expect(buffer.after(1, 5)).to.equal(null);
    expect(buffer.after(6, 5)).to.equal(null);
  });

  it('never exceeds its size, even if it then holds nothing', () => {
    const buffer = new EventBuffer({ maxBytes: 10 });
    for (const number of [1, 2, 3]) buffer.add({ number, text: 'é'.repeat(2) });
    expect(numbers(buffer.all)).to.deep.equal([2, 3]);
    buffer.add({ number: 4, text: 'x'.repeat(11) });
    expect(numbers(buffer.all)).to.deep.equal([]);
    expect(buffer.after(3, 4)).to.equal(null);
    buffer.add({ number: 5, text: 'x' });
    expect(numbers(buffer.after(4, 5))).to.deep.equal([5]);
  });

  it('writes any data in one line', () => {
    expect(eventText('command', { input: 'a\r\nb' }, '1-2')).to.equal(
      'id: 1-2\nevent: command\ndata: {"input":"a\\r\\nb"}\n\n',
    );
  });
});
