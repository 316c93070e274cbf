// Reports startup and shutdown: on stdout, and to the service manager.
import type { NodeStatus } from '../../machines/judge.ts';
import type { Deadlines } from '../../machines/node.ts';
import type { DesiredRecord } from '../../machines/settings.ts';
import { printable } from '../base/printable.ts';
import type { Logger } from '../log/log.ts';
import { openLogOut } from '../log/log-output.ts';
import type { Node } from './node-runner.ts';
import type { ServiceManager } from './service-manager.ts';

/** Timeout for operator API responses in progress once the node has nothing left to do. */
export const lastAnswersMs = 1000;

/** Reports each change of the public API, and the shutdown as soon as it starts. */
export function notifyServiceManager(
  node: Node,
  manager: ServiceManager,
  { lameDuckMs, leaveMs, answerMs }: Pick<Deadlines, 'lameDuckMs' | 'leaveMs' | 'answerMs'>,
): void {
  node.observe((observation) => {
    if (observation.type !== 'step') return;
    const { from, to } = observation;
    const text = statusText(to);
    if (from.node !== to.node) manager.stopping(text, lameDuckMs + leaveMs + answerMs + lastAnswersMs);
    else if (text !== statusText(from)) manager.status(text);
  });
}

export const statusText = ({ node, publicApi }: NodeStatus): string =>
  node === 'running' ? `public API ${publicApi}` : 'shutting down';

/** Startup report: on stdout a summary for people, then the lines that tools wait for; in the log, the conditions. */
export function announce(
  node: Node,
  log: Logger,
  { record, stateDirectory }: { readonly record: DesiredRecord; readonly stateDirectory: string },
): void {
  const { id, version, publicApi, endpoints, conditions } = node.state;
  const operator = endpoints.operatorApi === null ? 'no operator API' : `operator API on ${endpoints.operatorApi}`;
  // Not console.log: a full disk behind stdout would crash the node.
  const stdout = openLogOut(process.stdout);
  stdout.write(`${id} ${version}: public API ${publicApi} on ${endpoints.publicApi}, ${operator}\n`);
  // Tools written for the peer wait for «listening on port 3334».
  if (publicApi === 'running') stdout.write(`Public API ${listening(endpoints.publicApi)}`);
  if (endpoints.operatorApi !== null) stdout.write(`Operator API ${listening(endpoints.operatorApi)}`);
  stdout.write(`State directory: ${stateDirectory}\n`);
  const { changes, generation } = record;
  if (Object.keys(changes).length > 0) {
    const overrides = Object.entries(changes).map(([name, value]) => printable(`${name} ${JSON.stringify(value)}`));
    stdout.write(
      `Overridden by commands (generation ${generation}): ${overrides.join(', ')}. «distributor-node reset» restores the config.\n`,
    );
  }
  for (const { type, message } of conditions) log.warn(`${type}: ${message}`);
}

const listening = (url: string): string => `listening on port ${url.slice(url.lastIndexOf(':') + 1)}\n`;
