// Whether a process still runs.
import { readFile } from 'node:fs/promises';

/** Dead is also who has not been waited for by anybody yet. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/^\d+ \(.*\) Z/.test(stat);
}
