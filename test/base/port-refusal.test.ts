// Messages for a port that cannot be opened.
import { expect } from 'chai';
import { portRefusal } from '../../src/base/port-refusal.ts';

describe('the refusal of a port', () => {
  it('names the port, the address and the system error code', () => {
    const words = (code: string) => portRefusal('0.0.0.0', 80, code, 'it broke').words;
    expect(words('EADDRINUSE')).to.equal('Port 80 on 0.0.0.0 is already in use (EADDRINUSE)');
    expect(words('EACCES')).to.equal('Port 80 on 0.0.0.0 may not be opened by this user (EACCES)');
    expect(words('EADDRNOTAVAIL')).to.equal('0.0.0.0 is not an address of this machine (EADDRNOTAVAIL)');
    expect(words('ENOTFOUND')).to.equal('The host name 0.0.0.0 has no address (ENOTFOUND)');
    expect(words('EOTHER')).to.equal('Port 80 on 0.0.0.0 could not be opened: it broke');
  });
});
