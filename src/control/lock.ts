// The lock on a state directory: one node at a time, given back when its owner dies, however it dies.
import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, stat, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { codeOf, InputError, messageOf } from '../errors.ts';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Make the directory if need be and lock it.
 * @throws {InputError} when another process holds it, naming its pid where that can be learned
 */
export async function lockDirectory(directory: string, platform: string = process.platform): Promise<Lock> {
  const real = await prepared(directory);
  return platform === 'linux' ? lockBySocket(real) : lockByFile(real);
}

async function prepared(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await realpath(directory);
  } catch (error) {
    throw new InputError(`The state directory ${directory} cannot be used: ${messageOf(error)}`);
  }
}

const taken = (directory: string, pid: number | null): InputError =>
  new InputError(
    `The state directory ${directory} is in use by another node${pid ? ` (process ${pid})` : ''}: stop that one, or give this one its own directories.state`,
  );

/**
 * An abstract unix socket: no file to be left behind; the kernel takes it away with its owner. It tells who asks the pid.
 * Containers that share the host's network share such names, but not their directories: the path alone would not do.
 */
async function lockBySocket(directory: string): Promise<Lock> {
  const { dev, ino } = await stat(directory, { bigint: true });
  const hash = createHash('sha256').update(`${dev} ${ino} ${directory}`).digest('hex');
  const address = `\0distributor-node-${hash.slice(0, 40)}`;
  // Whoever has heard it is let go at once: the end would wait for those who stay.
  const server = createServer((socket) => socket.on('error', () => {}).end(`${process.pid}`, () => socket.destroy()));
  try {
    await listening(server, address);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw taken(directory, await pidBehind(address));
  }
  server.unref();
  return {
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const listening = (server: Server, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(address, () => resolve());
  });

/** Null where the owner does not answer within a second: it may be stopped or hung. */
const pidBehind = (address: string): Promise<number | null> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(address).setEncoding('utf8').setTimeout(1000);
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('timeout', () => socket.destroy()).on('error', () => {});
    socket.on('close', () => resolve(/^[0-9]+$/.test(text) ? Number(text) : null));
  });

async function lockByFile(directory: string): Promise<Lock> {
  const path = join(directory, 'lock');
  for (let tries = 0; ; tries += 1) {
    try {
      await writeFile(path, `${process.pid}`, { flag: 'wx', mode: 0o600 });
      return { release: () => unlink(path).catch(() => {}) };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const pid = Number(await readFile(path, 'utf8').catch(() => ''));
      if (tries > 0 || isAlive(pid)) throw taken(directory, pid || null);
      await unlink(path).catch(() => {});
    }
  }
}

/** A process that may not be signalled lives all the same. */
function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
