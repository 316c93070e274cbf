// Schema validation of valid, invalid and malicious values.
import { expect } from 'chai';
import { commands } from '../../machines/commands.ts';
import { compile, pointerSteps } from '../../src/base/validate.ts';

const formats = { 'bucket-id': (id: string) => /^\d+:\d+$/.test(id) };

describe('validate', () => {
  it('accepts a valid value and does not change it', () => {
    const body = Object.freeze({ buckets: Object.freeze(['1:0']) });
    expect(compile(commands['set-buckets'].input, formats)(body)).to.deep.equal([]);
  });

  it('points to the key that is missing, unknown, or of the wrong type', () => {
    const check = compile(commands['set-worker'].input);
    expect(check({})).to.deep.equal([{ path: '/workerId', message: 'is required' }]);
    expect(check({ workerId: 1, 'a/b~c': 1 })).to.deep.equal([{ path: '/a~1b~0c', message: 'is not a known key' }]);
    expect(check({ workerId: '1' })).to.deep.equal([{ path: '/workerId', message: 'must be integer' }]);
    expect(check([])).to.deep.equal([{ path: '', message: 'must be object' }]);
  });

  it('splits a pointer into its unescaped steps', () => {
    expect(pointerSteps('/objects/0/a~1b~0c')).to.deep.equal(['objects', '0', 'a/b~c']);
    expect([pointerSteps(''), pointerSteps('/')]).to.deep.equal([[], ['']]);
  });

  it('reports all errors at once', () => {
    const errors = compile(commands['set-buckets'].input, formats)({ buckets: ['1:0', 'x', 3], bucket: [] });
    expect(errors).to.have.deep.members([
      { path: '/bucket', message: 'is not a known key' },
      { path: '/buckets/1', message: 'must be a valid bucket-id' },
      { path: '/buckets/2', message: 'must be string' },
    ]);
  });

  it('lists the allowed values', () => {
    expect(compile({ enum: ['debug', 'info'] })('loud')).to.deep.equal([
      { path: '', message: 'must be one of debug, info' },
    ]);
    expect(compile({ const: 1 })(2)).to.deep.equal([{ path: '', message: 'must be 1' }]);
  });

  it('ignores inherited properties', () => {
    const check = compile({ type: 'object', properties: { toString: { type: 'string' } }, required: ['toString'] });
    expect(check({})).to.deep.equal([{ path: '/toString', message: 'is required' }]);
    const withConstructor = JSON.parse('{"constructor": 1, "workerId": 1}');
    expect(compile(commands['set-worker'].input)(withConstructor)).to.deep.equal([
      { path: '/constructor', message: 'is not a known key' },
    ]);
  });

  it('rejects a schema with an unknown keyword or format, or a value that a keyword cannot have', () => {
    expect(() => compile({ minimun: 1 })).to.throw('minimun');
    expect(() => compile({ type: 'integer', minimum: '1' })).to.throw('minimum value must be ["number"]');
    expect(() => compile({ type: 'object', required: 'id' })).to.throw('required value must be ["array"]');
    expect(() => compile({ type: 'whole' })).to.throw('type must be JSONType');
    expect(() => compile({ type: 'string', format: 'bucket-id' })).to.throw('bucket-id');
  });
});
