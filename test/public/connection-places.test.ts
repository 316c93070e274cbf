// Places for connections: as many as the node has, and as many as the process can afford.
import { expect } from 'chai';
import { Places } from '../../src/public/connection-places.ts';

/** How many of so many connections find a place. */
const taken = (places: Places, wanted: number): number =>
  Array.from({ length: wanted }, () => places.take()).filter((found) => found).length;

describe('places for connections', () => {
  it('are taken up to the limit, and again when one is given back', () => {
    const places = new Places({ maxConnections: 3, affordable: 0 });
    expect(taken(places, 5)).to.equal(3);
    places.giveBack();
    expect(taken(places, 5)).to.equal(1);
  });

  it('are as many as the process can afford where that is less, or all there is', () => {
    expect(taken(new Places({ maxConnections: 3, affordable: 2 }), 5)).to.equal(2);
    expect(taken(new Places({ maxConnections: 0, affordable: 2 }), 5)).to.equal(2);
    expect(taken(new Places({ maxConnections: 0, affordable: 0 }), 5)).to.equal(5);
  });

  it('are shared with other processes', () => {
    const others = 2;
    let own = 0;
    const set = (held: number) => {
      own = held;
    };
    const count = { set, total: () => own + others };
    const places = new Places({ maxConnections: 5, affordable: 0, count });
    expect([taken(places, 5), own]).to.deep.equal([3, 3]);
    places.giveBack();
    expect(own).to.equal(2);
  });

  it('are refused only when the count says so twice: it may have been read while it was written', () => {
    const readings = [65_536, 1, 5, 5];
    const count = { set() {}, total: () => readings.shift() ?? 0 };
    const places = new Places({ maxConnections: 5, affordable: 0, count });
    expect([places.take(), places.take()]).to.deep.equal([true, false]);
  });
});
