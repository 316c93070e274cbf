// An earlier commit of this project, built beside this one, to be measured against.
import { execFile } from 'node:child_process';
import { mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Earlier extends AsyncDisposable {
  /** Its command line. */
  readonly cli: string;
}

/** Builds it with the packages of this one. */
export async function buildOf(ref: string): Promise<Earlier> {
  const folder = await mkdtemp(join(tmpdir(), 'distributor-node-earlier-'));
  const tree = join(folder, 'tree');
  await run('git', ['-C', root, 'worktree', 'add', '--detach', tree, ref]);
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', tree]);
  return {
    cli: join(tree, 'dist/src/cli.js'),
    [Symbol.asyncDispose]: async () => {
      await run('git', ['-C', root, 'worktree', 'remove', '--force', tree]);
    },
  };
}
