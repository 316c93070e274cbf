// The built command line as a child process, and a stand-in for the operator API that records its requests.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { jwtVerify } from 'jose';

export const bin = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Begun {
  readonly child: ChildProcess;
  /** Resolves when this is in what it has printed on stdout. */
  printed(part: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Begins it, with nothing of our own environment that could steer it. */
export function begin(args: readonly string[], { cwd, env = {} }: RunOptions): Begun {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { PATH: process.env.PATH, NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')]);
  return {
    child,
    printed: (part) =>
      new Promise((resolve) => {
        let text = '';
        child.stdout.on('data', (piece: Buffer) => {
          text += piece.toString();
          if (text.includes(part)) resolve();
        });
      }),
    ended: texts.then(([stdout, stderr, [code]]) => ({ code, stdout, stderr })),
  };
}

/** Runs it to its end. */
export const run = (args: readonly string[], options: RunOptions): Promise<Ended> => begin(args, options).ended;

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

export interface Asked {
  readonly line: string;
  readonly body: string;
  /** `If-Match`, as it was sent. */
  readonly ifMatch: string | undefined;
  /** Claims of the token, once its signature has been checked; null: not signed with this secret. */
  readonly claims: Record<string, unknown> | null;
}

export interface FakeNode extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
  /** What it answers from now on; undefined: nothing, ever. */
  answer: { readonly status: number; readonly document: unknown } | undefined;
}

export async function fakeNode(secret: string, answer: FakeNode['answer']): Promise<FakeNode> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    asked.push(await askedOf(request, secret));
    if (node.answer === undefined) return;
    const { status, document } = node.answer;
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const node: FakeNode = {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return node;
}

async function askedOf(request: IncomingMessage, secret: string): Promise<Asked> {
  const body = await textOf(request);
  const [, token = ''] = request.headers.authorization?.split(' ') ?? [];
  const claims = await jwtVerify(token, Buffer.from(secret)).then(
    ({ payload }) => payload,
    () => null,
  );
  return { line: `${request.method} ${request.url}`, body, ifMatch: request.headers['if-match'], claims };
}
