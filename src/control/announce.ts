// Tells how the node comes up and goes down: on stdout, and to the service manager.
import type { NodeStatus } from '../../machines/judge.ts';
import type { Deadlines } from '../../machines/node.ts';
import type { DesiredRecord } from '../../machines/settings.ts';
import { printable } from '../base/printable.ts';
import type { Logger } from '../log/log.ts';
import { openLogOut } from '../log/log-output.ts';
import type { Node } from './node-runner.ts';
import type { ServiceManager } from './service-manager.ts';

/** How long answers under way on the operator API may take once the node has nothing left to do. */
export const lastAnswersMs = 1000;

/** Every step between two words of the state; the end as soon as it has begun. */
export function tellServiceManager(
  node: Node,
  manager: ServiceManager,
  { lameDuckMs, leaveMs, answerMs }: Pick<Deadlines, 'lameDuckMs' | 'leaveMs' | 'answerMs'>,
): void {
  node.observe((observation) => {
    if (observation.type !== 'step') return;
    const { from, to } = observation;
    const words = statusWords(to);
    if (from.node !== to.node) manager.stopping(words, lameDuckMs + leaveMs + answerMs + lastAnswersMs);
    else if (words !== statusWords(from)) manager.status(words);
  });
}

export const statusWords = ({ node, publicApi }: NodeStatus): string =>
  node === 'running' ? `public API ${publicApi}` : 'shutting down';

/** It is up: on stdout one line for people, then what tools wait for and operators look for; on the log, what is wrong. */
export function announce(
  node: Node,
  log: Logger,
  { record, stateDirectory }: { readonly record: DesiredRecord; readonly stateDirectory: string },
): void {
  const { id, version, publicApi, endpoints, conditions } = node.state;
  const operator = endpoints.operatorApi === null ? 'no operator API' : `operator API on ${endpoints.operatorApi}`;
  // Not console.log: a disk behind stdout that is full would end the node.
  const stdout = openLogOut(process.stdout);
  stdout.write(`${id} ${version}: public API ${publicApi} on ${endpoints.publicApi}, ${operator}\n`);
  // The peer's tools wait for «listening on port 3334».
  if (publicApi === 'running') stdout.write(`Public API ${listening(endpoints.publicApi)}`);
  if (endpoints.operatorApi !== null) stdout.write(`Operator API ${listening(endpoints.operatorApi)}`);
  stdout.write(`State directory: ${stateDirectory}\n`);
  const { changes, generation } = record;
  if (Object.keys(changes).length > 0) {
    const words = Object.entries(changes).map(([name, value]) => printable(`${name} ${JSON.stringify(value)}`));
    stdout.write(
      `Before the config goes what commands have changed (generation ${generation}): ${words.join(', ')}. «distributor-node reset» drops it.\n`,
    );
  }
  for (const { type, message } of conditions) log.warn(`${type}: ${message}`);
}

const listening = (url: string): string => `listening on port ${url.slice(url.lastIndexOf(':') + 1)}\n`;
