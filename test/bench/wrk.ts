// One measurement with wrk, and what it prints as numbers.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly header?: string;
}

export interface Measured {
  /** A second. */
  readonly requests: number;
  readonly megabytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were no success, and broken connections. */
  readonly errors: number;
}

export async function measure({ url, connections, seconds, header }: Load): Promise<Measured> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '30s'];
  // The same scheduling priority as the server processes: neither displaces the other on one machine.
  const words = ['-n', '10', 'wrk', ...args, ...(header ? ['-H', header] : []), url];
  const { stdout } = await promisify(execFile)('nice', words);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const time = (percent: string) => milliseconds(new RegExp(`^\\s+${percent}%\\s+(\\S+)`, 'm').exec(stdout)?.[1] ?? '');
  const [, read = 0, write = 0, timeout = 0] =
    /connect \d+, read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.map(Number) ?? [];
  return {
    requests: number(/^Requests\/sec:\s+([\d.]+)/m),
    megabytes: megabytes(/^Transfer\/sec:\s+(\S+)/m.exec(stdout)?.[1] ?? ''),
    p50Ms: time('50'),
    p99Ms: time('99'),
    errors: number(/Non-2xx or 3xx responses: (\d+)/) + read + write + timeout,
  };
}

/** `1.20ms`, `350.00us`, `1.02s`. */
function milliseconds(text: string): number {
  const factor = text.endsWith('us') ? 0.001 : text.endsWith('ms') ? 1 : 1000;
  return Number.parseFloat(text) * factor;
}

/** `12.30MB`, `1.02GB`, `800.00KB`. */
function megabytes(text: string): number {
  const factor = text.endsWith('GB') ? 1024 : text.endsWith('MB') ? 1 : 1 / 1024;
  return Number.parseFloat(text) * factor;
}
