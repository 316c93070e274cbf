// Installs what the real query engine needs: PostgreSQL from Debian, and the engine's packages in `local/squid-engine`.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/version.ts';

/** Outside of `test/`: its packages contain sources that are not ours. */
const installed = join(packageRoot, 'local', 'squid-engine');
const ours = join(packageRoot, 'test', 'squid-engine', 'packages');
const manifests = ['package.json', 'package-lock.json'];
/** Where Debian puts each version of PostgreSQL. */
const versions = '/usr/lib/postgresql';

/** Says what it does before it does it; both steps are skipped if done before. @returns the folder of the engine's packages */
export function installEngine(): string {
  const isCurrent = manifests.every((name) => sameFile(join(ours, name), join(installed, name)));
  if (!isCurrent) {
    console.log(`Installing the query engine in ${installed}: npm ci`);
    mkdirSync(installed, { recursive: true });
    for (const name of manifests) copyFileSync(join(ours, name), join(installed, name));
    try {
      run('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], installed);
    } catch (error) {
      // The next run installs again.
      rmSync(join(installed, 'package.json'));
      throw error;
    }
  }
  return join(installed, 'node_modules');
}

/** @returns the folder of the programs of PostgreSQL's newest version here */
export function installPostgres(): string {
  if (newestPostgres() === undefined) {
    console.log('Installing PostgreSQL: apt-get install postgresql');
    const apt = (...args: string[]) =>
      run('env', [...(process.getuid?.() === 0 ? [] : ['sudo']), 'apt-get', '--yes', ...args], packageRoot);
    // The lists of a new machine are empty or old.
    apt('update');
    apt('--no-install-recommends', 'install', 'postgresql');
  }
  const programs = newestPostgres();
  if (programs === undefined) throw new Error(`There is no PostgreSQL in ${versions}`);
  return programs;
}

function newestPostgres(): string | undefined {
  if (!existsSync(versions)) return undefined;
  const programs = readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'));
  return programs.find((folder) => existsSync(join(folder, 'postgres')));
}

const sameFile = (a: string, b: string) => existsSync(b) && readFileSync(a).equals(readFileSync(b));

const run = (command: string, args: readonly string[], cwd: string) =>
  void execFileSync(command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
