// What the schema checks say of values that are right, wrong, and made to do harm.
import { expect } from 'chai';
import { commands } from '../../machines/commands.ts';
import { compile, pointerSteps } from '../../src/base/validate.ts';

const formats = { 'bucket-id': (id: string) => /^\d+:\d+$/.test(id) };

describe('validate', () => {
  it('finds nothing wrong with what is right, and leaves it as it is', () => {
    const body = Object.freeze({ buckets: Object.freeze(['1:0']) });
    expect(compile(commands['set-buckets'].input, formats)(body)).to.deep.equal([]);
  });

  it('points at the key that is missing, unknown, or of the wrong kind', () => {
    const check = compile(commands['set-worker'].input);
    expect(check({})).to.deep.equal([{ path: '/workerId', message: 'is required' }]);
    expect(check({ workerId: 1, 'a/b~c': 1 })).to.deep.equal([{ path: '/a~1b~0c', message: 'is not a known key' }]);
    expect(check({ workerId: '1' })).to.deep.equal([{ path: '/workerId', message: 'must be integer' }]);
    expect(check([])).to.deep.equal([{ path: '', message: 'must be object' }]);
  });

  it('takes a pointer apart into what it goes through, as it was before it was written', () => {
    expect(pointerSteps('/objects/0/a~1b~0c')).to.deep.equal(['objects', '0', 'a/b~c']);
    expect([pointerSteps(''), pointerSteps('/')]).to.deep.equal([[], ['']]);
  });

  it('tells of all faults at once', () => {
    const faults = compile(commands['set-buckets'].input, formats)({ buckets: ['1:0', 'x', 3], bucket: [] });
    expect(faults).to.have.deep.members([
      { path: '/bucket', message: 'is not a known key' },
      { path: '/buckets/1', message: 'must be a valid bucket-id' },
      { path: '/buckets/2', message: 'must be string' },
    ]);
  });

  it('names the values that are allowed', () => {
    expect(compile({ enum: ['debug', 'info'] })('loud')).to.deep.equal([
      { path: '', message: 'must be one of debug, info' },
    ]);
    expect(compile({ const: 1 })(2)).to.deep.equal([{ path: '', message: 'must be 1' }]);
  });

  it('does not take an inherited property for one that was sent', () => {
    const check = compile({ type: 'object', properties: { toString: { type: 'string' } }, required: ['toString'] });
    expect(check({})).to.deep.equal([{ path: '/toString', message: 'is required' }]);
    const withConstructor = JSON.parse('{"constructor": 1, "workerId": 1}');
    expect(compile(commands['set-worker'].input)(withConstructor)).to.deep.equal([
      { path: '/constructor', message: 'is not a known key' },
    ]);
  });

  it('refuses a schema with a keyword or a format it does not know', () => {
    expect(() => compile({ minimun: 1 })).to.throw('minimun');
    expect(() => compile({ type: 'string', format: 'bucket-id' })).to.throw('bucket-id');
  });
});
