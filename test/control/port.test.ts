// Whether a port is free, found out without accepting anybody.
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { freePort, portRefusal, probePort } from '../../src/control/port.ts';
import { connected } from '../support/viewer.ts';

const listening = (host: string, port = 0): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ host, port }, () => resolve(server));
  });

const shut = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the look at a port', () => {
  it('finds a free one free', async () => {
    const port = await freePort('127.0.0.1');
    expect(await probePort('127.0.0.1', port)).to.equal(null);
    expect(await probePort('localhost', port)).to.equal(null);
    await shut(await listening('127.0.0.1', port));
  });

  it('finds it taken, by whatever address it clashes with', async () => {
    const server = await listening('127.0.0.2');
    const port = portOf(server);
    expect(await probePort('127.0.0.2', port)).to.deep.equal({
      code: 'EADDRINUSE',
      words: `Port ${port} on 127.0.0.2 is already in use (EADDRINUSE)`,
    });
    expect((await probePort('0.0.0.0', port))?.code).to.equal('EADDRINUSE');
    expect(await probePort('127.0.0.1', port)).to.equal(null);
    await shut(server);
  });

  it('finds it free beside connections that a closed listener left', async () => {
    const server = await listening('127.0.0.1');
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const client = await connected(portOf(server));
    const port = portOf(server);
    const closing = shut(server);
    expect(await probePort('127.0.0.1', port)).to.equal(null);
    client.destroy();
    (await accepted).destroy();
    await closing;
  });

  it('says what is wrong with the address', async () => {
    expect((await probePort('192.0.2.1', 3334))?.words).to.equal(
      '192.0.2.1 is not an address of this machine (EADDRNOTAVAIL)',
    );
    const failure = await freePort('192.0.2.1').catch((error: NodeJS.ErrnoException) => error.code);
    expect(failure).to.equal('EADDRNOTAVAIL');
    const unknown = await probePort('no-such-host.invalid', 3334);
    expect(unknown?.words).to.match(/no-such-host\.invalid/);
  });

  it('has words for the reasons an operator meets', () => {
    const words = (code: string) => portRefusal('0.0.0.0', 80, code, 'it broke').words;
    expect(words('EACCES')).to.equal('Port 80 on 0.0.0.0 may not be opened by this user (EACCES)');
    expect(words('ENOTFOUND')).to.equal('The host name 0.0.0.0 has no address (ENOTFOUND)');
    expect(words('EOTHER')).to.equal('Port 80 on 0.0.0.0 could not be opened: it broke');
  });
});
