// Detects a container, and warns about an operator API on its loopback address.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLoopback } from '../base/http-url.ts';
import type { Config } from '../config/config.ts';

export interface Place {
  readonly env: NodeJS.ProcessEnv;
  /** Root of the file system; tests pass another. */
  readonly root?: string;
}

/** The loopback of a container is not that of its host. Null: no hint is needed. */
export function containerHint(
  operatorApi: Pick<NonNullable<Config['operatorApi']>, 'host' | 'port'> | null,
  place: Place,
): string | null {
  if (operatorApi === null || !isLoopback(operatorApi.host) || !isInContainer(place)) return null;
  return (
    `The operator API listens on ${operatorApi.host} inside a container, where no published port reaches it. To reach it from ` +
    'outside, set operatorApi.host to 0.0.0.0, publish its port on loopback or a trusted network only, and list the host ' +
    'names that clients use in operatorApi.allowedHosts.'
  );
}

/** Recognizes Docker, Podman, systemd-nspawn, Kubernetes and LXC; false if unsure. */
export function isInContainer({ env, root = '/' }: Place): boolean {
  if (env.container) return true;
  if (['.dockerenv', 'run/.containerenv'].some((path) => existsSync(join(root, path)))) return true;
  const groups = textOf(join(root, 'proc/self/cgroup'));
  return [
    /\/(?:docker|libpod|cri-containerd|crio)[-/][0-9a-f]{12}/,
    /\/(?:kubepods\b|lxc(?:\.payload\.[^/]+)?\/)/,
  ].some((pattern) => pattern.test(groups));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
