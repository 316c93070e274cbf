// Detects after a restart that the previous run crashed, by a marker file in the state directory.
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../base/atomic-file.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import type { CrashReport } from '../supervisor/public-side.ts';
import { bootId } from './lock-holder.ts';

export interface LastRun {
  /** Null: this state directory records no crash. */
  readonly crash: CrashReport | null;
  /** Records a crash in this run, for the next one to report too. Does not wait for the disk. */
  note(crash: CrashReport): void;
  /** Records an uncaught error that is about to end this process. */
  noteFatal(error: unknown): void;
  /** Ends the run normally: the next one reports no crash. */
  end(): void;
}

interface Log {
  warn(facts: object, message: string): void;
}

interface Marker {
  readonly pid: number;
  readonly startedAt: string;
  /** Boot id of the running kernel: if it differs after the restart, the machine was restarted. Null: unknown. */
  readonly boot: string | null;
  /** The uncaught error that ended the process, if it could still be written. */
  readonly fatal?: { readonly at: string; readonly words: string };
}

/** How often the marker is touched: the precision of the time at which a killed process was last alive. */
const touchMs = 5000;

/**
 * Reads what the previous run left and marks this one as started. Call it with the directory locked.
 * In a directory that cannot be written, the crash report is lost, but the node starts.
 */
export async function beginRun(directory: string, log: Log): Promise<LastRun> {
  const marker = join(directory, 'run.json');
  const report = join(directory, 'last-crash.json');
  const failed = (err: unknown) => log.warn({ err }, 'The crash report could not be written');
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
      const message = error instanceof Error ? `${error.name}: ${error.message}` : messageOf(error);
      const fatal = { at: new Date().toISOString(), words: message.slice(0, 500) };
      try {
        writeFileSync(marker, JSON.stringify({ ...own, fatal }));
      } catch {
        // The process is ending: there is no place left to report this.
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

/** Null: the previous run ended normally, or there was none. */
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
  const seen = `was last seen at ${at} and exited without logging a reason`;
  const rebooted = boot !== null && boot !== bootId();
  return rebooted
    ? { at, what: 'control', pid, reason: 'MachineRestarted', message: `${which} ${seen}: the machine was restarted` }
    : { at, what: 'control', pid, reason: 'Killed', message: `${which} ${seen}: it was killed, or ran out of memory` };
}

/** Null: no such file, or its content is invalid. */
async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') await rm(path, { force: true }).catch(() => {});
    return null;
  }
}

const replace = (path: string, document: object): Promise<void> => writeFileAtomically(path, JSON.stringify(document));
