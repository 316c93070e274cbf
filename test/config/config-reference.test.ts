// The config reference: a row for every key, and true environment names.
import { expect } from 'chai';
import { configReference } from '../../src/config/config-reference.ts';
import { envNameOf, keyNames } from '../../src/config/keys.ts';

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

  it('says by which environment variable each key is set', () => {
    const text = configReference();
    expect(text).to.match(/^\| `publicApi\.port` .* \| `DISTRIBUTOR__PUBLIC_API__PORT` \|$/m);
    expect(text).to.match(/^\| `limits\.storage` .* \| `DISTRIBUTOR__LIMITS__STORAGE` \|$/m);
  });

  it('has a table for each section', () => {
    const headings = [...configReference().matchAll(/^### (.*)$/gm)].map(([, title]) => title);
    expect(headings).to.include.members(['The node', 'publicApi', 'operatorApi', 'Accepted without effect']);
    expect(new Set(headings).size).to.equal(headings.length);
  });

  it('names each key for the environment in its own way', () => {
    expect(new Set(keyNames.map(envNameOf)).size).to.equal(keyNames.length);
    expect(envNameOf('operatorApi.hmacSecretFile')).to.equal('OPERATOR_API__HMAC_SECRET_FILE');
  });
});
