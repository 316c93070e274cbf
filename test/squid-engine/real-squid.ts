// The real query engine over a PostgreSQL of its own, in a temporary folder, on a Unix socket and a free port.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/version.ts';
import { inTime } from '../support/until.ts';
import { installEngine, installPostgres } from './install-engine.ts';

export const releases = ['graphql-server', 'graphql-server-4.3'] as const;
export type Release = (typeof releases)[number];

export interface NetworkSize {
  readonly bags: number;
  readonly objects: number;
  readonly buckets: number;
  readonly workers: number;
}

export interface RealSquid {
  /** Runs one statement. */
  sql(statement: string): Promise<void>;
  /** Empties the tables and fills them by SQL, in one transaction. */
  fillWith(sql: string): Promise<void>;
  /** Empties the tables and fills them with a made-up network. */
  fill(size: NetworkSize): Promise<void>;
  /** @returns the GraphQL URL */
  serve(release: Release): Promise<string>;
  /** The engines keep running. */
  stopDatabase(): Promise<void>;
  stop(): Promise<void>;
}

const files = join(packageRoot, 'test', 'squid-engine');

export async function startRealSquid(): Promise<RealSquid> {
  const programs = installPostgres();
  const packages = installEngine();
  const folder = mkdtempSync(join(tmpdir(), 'squid-'));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const [command, prefix] = asPostgresUser([folder, data]);
  const user = ['--username=postgres'];
  // Not the order of bytes: the engine compares ids as the database does.
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'];
  const init = [join(programs, 'initdb'), `--pgdata=${data}`, '--auth=trust', '--no-sync', ...user, ...locale];
  execFileSync(command, [...prefix, ...init], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off', 'max_connections=40'];
  const server = [join(programs, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const children: ChildProcess[] = [];

  const postgres = spawn(command, [...prefix, ...server], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  await lineOf(postgres, /ready to accept connections/);

  async function psql(...args: string[]): Promise<void> {
    const common = [
      `--host=${folder}`,
      ...user,
      '--no-psqlrc',
      '--quiet',
      '--set=ON_ERROR_STOP=1',
      '--single-transaction',
    ];
    await promisify(execFile)(join(programs, 'psql'), [...common, ...args], { cwd: files });
  }
  await psql('--file=tables.sql');

  // A fast shutdown: connections are closed.
  const stopDatabase = () => end(postgres, 'SIGINT');

  return {
    sql: (statement) => psql(`--command=${statement}`),
    fillWith: (sql) => psql(`--command=${empty};`, `--command=${sql}`),
    fill: async ({ bags, objects, buckets, workers }) => {
      const variables = Object.entries({ bags, objects, buckets, workers });
      await psql(`--command=${empty}`);
      await psql(...variables.map(([name, value]) => `--set=${name}=${value}`), '--file=network.sql');
    },
    serve: async (release) => {
      const place = join(folder, release);
      mkdirSync(place);
      copyFileSync(join(files, 'schema.graphql'), join(place, 'schema.graphql'));
      const engine = spawn(process.execPath, [join(packages, release, 'bin', 'run.js')], {
        cwd: place,
        env: { PATH: process.env.PATH, DB_HOST: folder, DB_USER: 'postgres', DB_NAME: 'postgres', GQL_PORT: '0' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      children.push(engine);
      const [, port] = await lineOf(engine, /listening on port (\d+)/);
      return `http://127.0.0.1:${port}/graphql`;
    },
    stopDatabase,
    stop: async () => {
      await Promise.all(children.map((child) => end(child, 'SIGTERM')));
      await stopDatabase();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All rows of all tables. */
const empty = `truncate squid_processor.status, storage_bag, video_subtitle, storage_data_object, storage_bucket,
  storage_bucket_operator_metadata, storage_bucket_bag, distribution_bucket, distribution_bucket_operator, distribution_bucket_bag`;

/** PostgreSQL does not run as root. @param folders become its own. @returns a command and its first arguments */
function asPostgresUser(folders: readonly string[]): [string, readonly string[]] {
  if (process.getuid?.() !== 0) return ['env', []];
  const idOf = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  for (const folder of folders) chownSync(folder, idOf('-u'), idOf('-g'));
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups']];
}

/** Waits for a line on stderr. @throws {Error} with the last lines, when the process ends before */
async function lineOf(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const last: string[] = [];
  const found = new Promise<RegExpExecArray>((resolve, reject) => {
    if (child.stderr === null) throw new Error('stderr is not a pipe');
    createInterface(child.stderr).on('line', (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      const match = pattern.exec(line);
      if (match) resolve(match);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${child.spawnfile} ended:\n${last.join('\n')}`)));
  });
  return await inTime(`${pattern} of ${child.spawnfile}`, found, { seen: () => last.join('\n') });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await inTime(`the end of ${child.spawnfile}`, exit);
}
