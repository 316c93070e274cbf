// The config reference: a row for every key, and true environment names.
import { expect } from 'chai';
import { envNameOf, keyNames } from '../../src/config/keys.ts';
import { configReference } from '../../src/config/reference.ts';

describe('config reference', () => {
  it('has a row for every key', () => {
    const rows = configReference().match(/^\| `[^`]+`/gm);
    expect(rows).to.have.lengthOf(keyNames.length);
  });

  it('says type, unit and default', () => {
    const text = configReference();
    expect(text).to.contain('| `publicApi.drainTimeoutSec` | integer, s | `30` |');
    expect(text).to.contain('| `operatorApi.maxBodyBytes` | size | `1M` |');
    expect(text).to.contain('| `id` | string | the host name |');
  });

  it('names each key for the environment in its own way', () => {
    expect(new Set(keyNames.map(envNameOf)).size).to.equal(keyNames.length);
    expect(envNameOf('operatorApi.hmacSecretFile')).to.equal('OPERATOR_API__HMAC_SECRET_FILE');
  });
});
