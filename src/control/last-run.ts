// What is known of a run that ended in a crash, kept in the state directory: read after the restart, whatever ended it.
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../base/atomic-file.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import type { CrashReport } from '../supervisor/public-side.ts';
import { bootId } from './lock-holder.ts';

export interface LastRun {
  /** Null: nothing has crashed as far as this state directory knows. */
  readonly crash: CrashReport | null;
  /** A crash in this run, to be read in the next one too. Not waited for. */
  note(crash: CrashReport): void;
  /** An error nobody caught is about to end this process. */
  noteFatal(error: unknown): void;
  /** The run ends as it should: nothing is to be reported of it. */
  end(): void;
}

interface Log {
  warn(facts: object, message: string): void;
}

interface Marker {
  readonly pid: number;
  readonly startedAt: string;
  /** Of the running kernel: another one after the restart means that the whole machine went down. Null: not known. */
  readonly boot: string | null;
  /** What ended it, where it could still say so. */
  readonly fatal?: { readonly at: string; readonly words: string };
}

/** The marker is touched this often: so exact is the moment at which a killed process is said to have been alive last. */
const touchMs = 5000;

/**
 * Reads what the run before has left and marks this one as begun. Call it with the directory locked.
 * A directory that cannot be written costs the report, not the start.
 */
export async function beginRun(directory: string, log: Log): Promise<LastRun> {
  const marker = join(directory, 'run.json');
  const report = join(directory, 'last-crash.json');
  const failed = (err: unknown) => log.warn({ err }, 'What would be told of a crash could not be written');
  let crash = (await lastCrash(marker)) ?? (await readJson<CrashReport>(report));
  let writing: Promise<void> = Promise.resolve();
  const keep = (found: CrashReport) => {
    crash = found;
    writing = writing.then(() => replace(report, found)).catch(failed);
  };
  if (crash !== null) keep(crash);
  const own: Marker = { pid: process.pid, startedAt: new Date().toISOString(), boot: bootId() };
  await writing;
  await mkdir(directory, { recursive: true, mode: 0o700 })
    .then(() => replace(marker, own))
    .catch(failed);
  const touching = setInterval(() => void utimes(marker, new Date(), new Date()).catch(() => {}), touchMs).unref();

  return {
    get crash() {
      return crash;
    },
    note: keep,
    noteFatal(error) {
      const words = error instanceof Error ? `${error.name}: ${error.message}` : messageOf(error);
      const fatal = { at: new Date().toISOString(), words: words.slice(0, 500) };
      try {
        writeFileSync(marker, JSON.stringify({ ...own, fatal }));
      } catch {
        // The process is ending: nobody is left to be told.
      }
    },
    end() {
      clearInterval(touching);
      try {
        rmSync(marker, { force: true });
      } catch (error) {
        failed(error);
      }
    },
  };
}

/** Null: the run before ended as it should, or there was none. */
async function lastCrash(path: string): Promise<CrashReport | null> {
  const left = await stat(path).catch(() => null);
  if (!left?.isFile()) return null;
  const { pid = 0, startedAt = '', boot = null, fatal } = (await readJson<Marker>(path)) ?? {};
  const which = `The control process ${pid}${startedAt === '' ? '' : `, started at ${startedAt},`}`;
  if (fatal) {
    const message = `${which} ended with ${fatal.words}`;
    return { at: fatal.at, what: 'control', pid, reason: 'UncaughtError', message };
  }
  const at = left.mtime.toISOString();
  const seen = `was last seen at ${at} and ended without a word`;
  const rebooted = boot !== null && boot !== bootId();
  return rebooted
    ? { at, what: 'control', pid, reason: 'MachineRestarted', message: `${which} ${seen}: the machine was restarted` }
    : { at, what: 'control', pid, reason: 'Killed', message: `${which} ${seen}: it was killed, or ran out of memory` };
}

/** Null: there is none that could be understood. */
async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') await rm(path, { force: true }).catch(() => {});
    return null;
  }
}

const replace = (path: string, document: object): Promise<void> => writeFileAtomically(path, JSON.stringify(document));
