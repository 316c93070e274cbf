// The process behind `Crowd`: clients on bare sockets, so that it is plain what each of them was given.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrowdOptions, RequestMetrics } from './crowd.ts';

const { port, paths, clients, manner }: CrowdOptions = JSON.parse(process.argv[2] ?? '');
const requestMetrics: RequestMetrics = { answers: 0, refused: 0, lost: {} };
let leaving = false;

// The parent process has exited.
process.on('disconnect', () => process.exit());
const all = Promise.all(Array.from({ length: clients }, (_, at) => live(at)));
process.on('message', (message) => {
  if (message === 'requestMetrics') process.send?.(requestMetrics);
  if (message !== 'leave') return;
  leaving = true;
  void all.then(() => process.send?.(requestMetrics, undefined, undefined, () => process.disconnect()));
});

async function live(at: number): Promise<void> {
  for (let turn = at; !leaving; ) {
    const socket = await arrive();
    if (socket === null) continue;
    for (let goOn = true; goOn; turn += 1) {
      goOn = await request(socket, paths[turn % paths.length] ?? '/');
      if (leaving || manner === 'one-request') goOn = false;
    }
    socket.destroy();
  }
}

/** Null: the port refuses; try again. */
async function arrive(): Promise<Socket | null> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    socket.once('connect', () => resolve(null)).once('error', resolve);
  });
  if (failure === null) return socket;
  if (failure.code === 'ECONNREFUSED') requestMetrics.refused += 1;
  else lose(`connect ${failure.code}`);
  await sleep(5);
  return null;
}

/** Resolves with whether the connection may be used again. */
function request(socket: Socket, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    let head = '';
    let left = -1;
    let last = manner === 'one-request';
    const done = (goOn: boolean) => {
      socket.removeAllListeners();
      socket.on('error', () => {});
      resolve(goOn);
    };
    const broken = (how: string) => {
      lose(left >= 0 ? `${how} within an answer` : `${how} before an answer`);
      done(false);
    };
    socket.on('error', ({ code }: NodeJS.ErrnoException) => broken(code ?? 'error'));
    socket.on('close', () => broken('closed'));
    socket.on('data', (chunk: Buffer) => {
      let length = chunk.length;
      if (left < 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        length = head.length - end - 4;
        left = Number(/^content-length: (\d+)/im.exec(head.slice(0, end))?.[1] ?? 0);
        last ||= /^connection: close/im.test(head.slice(0, end));
        if (!head.startsWith('HTTP/1.1 200 ')) lose(head.slice(0, 12));
      }
      left -= length;
      if (left > 0) return;
      if (left < 0) lose('more than was promised');
      requestMetrics.answers += 1;
      if (requestMetrics.answers === 1) process.send?.('arrived');
      done(!last);
    });
    const farewell = manner === 'one-request' ? 'Connection: close\r\n' : '';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n${farewell}\r\n`);
  });
}

function lose(how: string): void {
  requestMetrics.lost[how] = (requestMetrics.lost[how] ?? 0) + 1;
}
