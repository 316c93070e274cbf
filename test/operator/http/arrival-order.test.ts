// Commands are carried out in the order in which their heads arrive; a slow client delays others only up to a limit.
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { UsedTokens } from '../../../src/operator/auth/used-tokens.ts';
import { Gate } from '../../support/gate.ts';
import { type OperatorSide, startOperatorSide } from '../../support/harness.ts';
import { until } from '../../support/until.ts';

/** Longer than any test may take. */
const forEver = 600_000;

describe('the order of arrival', () => {
  let operator: OperatorSide;
  const disk = new Gate();
  const sockets: Socket[] = [];
  /** As a slow disk under the file of used tokens. */
  const usedTokens: UsedTokens = {
    take: async () => {
      await disk.pass();
      return 'taken';
    },
    conditions: [],
    close: async () => {},
  };
  const start = async (bodyWaitMs: number) => {
    operator = await startOperatorSide({ usedTokens, settings: { bodyWaitMs } });
  };
  beforeEach(() => disk.hold());
  afterEach(async () => {
    disk.release();
    for (const socket of sockets.splice(0)) socket.destroy();
    await operator.close();
  });

  const head = (token: string, length: number, more = '') =>
    `POST /api/v1/set-worker HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`;
  const request = (token: string, workerId: number, more = ''): string => {
    const body = JSON.stringify({ workerId });
    return `${head(token, body.length, more)}${body}`;
  };
  const requestToken = (workerId: number) => operator.forRequest('set-worker', { workerId });

  /** A connection on which these bytes are sent, and the state documents and problems that come back. */
  const send = (bytes: string) => {
    const socket = connect(operator.listener.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write(bytes);
    return {
      write: (more: string) => socket.write(more),
      get received() {
        return text;
      },
      /** Worker and generation in each answer. */
      get answers() {
        return [...text.matchAll(/"generation":(\d+),"settings":\{"workerId":(\d+)/g)].map(([, generation, worker]) => [
          Number(worker),
          Number(generation),
        ]);
      },
    };
  };
  /** Requests received so far have passed every check they need not wait for. */
  const afterReads = async () => {
    for (let read = 0; read < 5; read += 1) {
      const headers = { authorization: `Bearer ${await operator.access()}` };
      await operator.call('/api/v1/state', { method: 'GET', headers });
    }
  };

  it('is that of the heads, even while the token of the first is being saved', async () => {
    await start(forEver);
    const first = send(request(await requestToken(1), 1));
    await disk.reached();
    const second = send(request(await operator.access(), 2));
    await afterReads();
    expect(second.answers).to.deep.equal([]);
    disk.release();
    await until(() => first.answers.length + second.answers.length === 2);
    expect([first.answers, second.answers]).to.deep.equal([[[1, 1]], [[2, 2]]]);
  });

  it('holds for pipelined requests', async () => {
    await start(forEver);
    const requests = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (id) => request(await (id % 3 === 1 ? requestToken(id) : operator.access()), id)),
    );
    const sent = send(requests.join(''));
    await disk.reached();
    await afterReads();
    disk.release();
    await until(() => sent.answers.length === 6);
    expect(sent.answers).to.deep.equal([1, 2, 3, 4, 5, 6].map((id) => [id, id]));
  });

  it('does not wait for a refused command', async () => {
    await start(forEver);
    send(request(await operator.access({ exp: 1 }), 1));
    send(request(await operator.access({ scope: 'read' }), 2));
    send(request(await operator.access(), -1));
    send(request(await operator.access(), 3, 'If-Match: nonsense\r\n'));
    const right = send(request(await operator.access(), 4));
    await until(() => right.answers.length === 1);
    expect(right.answers).to.deep.equal([[4, 1]]);
  });

  it('does not wait for the body of an unauthorized client', async () => {
    await start(forEver);
    const forged = await operator.sign({ iat: 1, exp: 1e10 }, { key: Buffer.alloc(32) });
    for (const token of ['none', forged, await operator.access({ scope: 'read' })]) send(head(token, 100));
    const right = send(request(await operator.access(), 4));
    await until(() => right.answers.length === 1);
  });

  it('waits up to the limit for the body of an authorized client', async () => {
    await start(20);
    for (let sender = 0; sender < 5; sender += 1) send(head(await operator.access(), 100));
    const right = send(request(await operator.access(), 4));
    await until(() => right.answers.length === 1);
  });

  it('does not wait for a disconnected client', async () => {
    await start(forEver);
    send(head(await operator.access(), 100));
    await afterReads();
    const right = send(request(await operator.access(), 4));
    await afterReads();
    expect(right.answers).to.deep.equal([]);
    sockets[0]?.destroy();
    await until(() => right.answers.length === 1);
  });

  it('holds on a connection with a late body', async () => {
    await start(20);
    const body = JSON.stringify({ workerId: 1 });
    const late = send(head(await requestToken(1), body.length));
    const other = send(request(await operator.access(), 4));
    await until(() => other.answers.length === 1);
    late.write(body + request(await operator.access(), 2));
    await disk.reached();
    await afterReads();
    expect(late.answers).to.deep.equal([]);
    disk.release();
    await until(() => late.answers.length === 2);
    expect(late.answers.map(([worker]) => worker)).to.deep.equal([1, 2]);
  });

  it('makes later commands wait for a shutdown', async () => {
    await start(forEver);
    const token = await operator.forRequest('shutdown');
    const stop = `POST /api/v1/stop-api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${await operator.access()}\r\n\r\n`;
    const shutdown = stop.replace('stop-api', 'shutdown').replace(/Bearer .*/, `Bearer ${token}`);
    const sent = send(shutdown + stop);
    await disk.reached();
    await afterReads();
    disk.release();
    await until(() => sent.received.includes('Node is shutting down'));
  });

  it('does not hold up a shutdown', async () => {
    await start(forEver);
    send(head(await operator.access(), 100));
    send(request(await requestToken(1), 1));
    await disk.reached();
    expect((await operator.command('shutdown')).status).to.equal(200);
  });
});
