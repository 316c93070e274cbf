// Runs a script of commands, port answers and passing time through the node machine, and prints the whole run.
import { type Actor, createActor, fromPromise, SimulatedClock } from 'xstate';
import type { Command } from '../../machines/commands.ts';
import { allowedCommands, desiredOf, isSettled, judge, type NodeSnapshot } from '../../machines/judge.ts';
import { type CloseResult, type NodeInput, nodeMachine } from '../../machines/node.ts';
import type { DesiredRecord, Settings } from '../../machines/settings.ts';
import { lameDuckInput, portDone, portError, sampleInput } from './model.ts';

/**
 * A script is lines that begin with `>`; what is printed below them is this function's, all other lines are the reader's.
 *
 *     > node stopped | node running         a new node, its public API wanted so; it has no record yet
 *     > node running behind a balancer      the same with a lame duck of ten seconds before each stop
 *     > stop-api | set-worker 3 | set-buckets 1:0 1:1 | set-buckets …      a command
 *     > listen.done | save.error no space   a port has done what it was asked, or failed with these words
 *     > close.done draining 1               the port is closed and drain 1 goes on
 *     > drain.ended 1                       the last response of drain 1 is sent
 *     > wait 500                            so many milliseconds pass
 */
export function replay(script: string): string {
  let run: Run | undefined;
  const printed = script.split('\n').flatMap((line) => {
    if (line.startsWith('  ')) return [];
    if (!line.startsWith('> ')) return [line];
    const [verb = '', ...words] = line.slice(2).split(' ');
    if (verb === 'node') {
      const inputOf = words.includes('balancer') ? lameDuckInput : sampleInput;
      run = new Run(inputOf(words[0] === 'running' ? 'running' : 'stopped'));
    }
    if (!run) throw new Error('The first line of a script makes a node');
    return [line, ...run.step(verb, words).map((text) => `  ${text}`)];
  });
  return printed.join('\n');
}

class Run {
  readonly #clock = new SimulatedClock();
  readonly #actor: Actor<typeof nodeMachine>;
  #printed: string[] = [];
  #known: readonly string[] = [];

  constructor(input: NodeInput) {
    const never = <T>(words: string): Promise<T> => {
      this.#printed.push(`asks: ${words}`);
      return new Promise(() => {});
    };
    const machine = nodeMachine.provide({
      actors: {
        listen: fromPromise(({ input: { patienceMs } }) => never(`listen, with ${patienceMs} ms of patience`)),
        close: fromPromise(() => never<CloseResult>('close')),
        save: fromPromise(({ input }) => never(`save ${recordWords(input)}`)),
        configure: fromPromise(({ input }) => never(`configure ${settingsWords(input)}`)),
        answer: fromPromise(() => never('answer')),
      },
      actions: {
        retire: () => this.#printed.push('does: retire'),
        cut: (_, { id }) => this.#printed.push(`does: cut drain ${id}`),
        kill: () => this.#printed.push('does: kill'),
      },
    });
    this.#actor = createActor(machine, { input, clock: this.#clock });
    this.#actor.on('outcome', ({ command, result, reason }) => {
      this.#printed.push(`emits: ${command} ${result}${reason ? `, ${reason}` : ''}`);
    });
    this.#actor.start();
  }

  /** What one line of the script leads to, and where the node is then, as far as it has changed. */
  step(verb: string, words: readonly string[]): string[] {
    this.#printed = [];
    this.#take(verb, words);
    const lines = stateLines(this.#actor.getSnapshot());
    const changed = lines.filter((line) => !this.#known.includes(line));
    this.#known = lines;
    return [...this.#printed, ...changed];
  }

  #take(verb: string, words: readonly string[]): void {
    const [actor = '', end] = verb.split('.');
    if (verb === 'node') return;
    if (verb === 'wait') this.#clock.increment(Number(words[0]));
    else if (verb === 'restore') this.#actor.send({ type: 'restore' });
    else if (verb === 'drain.ended') this.#actor.send({ type: 'drain.ended', id: Number(words[0]) });
    else if (end === 'error') this.#actor.send(portError(actor, words.join(' ')));
    else if (end === 'done') this.#actor.send(portDone(actor, actor === 'close' ? closeResult(words) : undefined));
    else this.#give(commandOf(verb, words));
  }

  #give(command: Command): void {
    const snapshot = this.#actor.getSnapshot();
    if (!isSettled(snapshot) && command.type !== 'shutdown') {
      this.#printed.push('waits for its turn');
      return;
    }
    const judgement = judge(snapshot, command);
    if (judgement.legal) this.#actor.send(command);
    else this.#printed.push(`409 ${judgement.reason}`);
  }
}

const closeResult = ([word, id]: readonly string[]) => ({
  drain: word === 'draining' ? { id: Number(id), deadline: 0 } : null,
});

function commandOf(name: string, words: readonly string[]): Command {
  if (name === 'set-worker') return { type: name, workerId: Number(words[0]) };
  if (name === 'set-buckets') return words.length > 0 ? { type: name, buckets: words } : { type: name };
  if (name === 'stop-api' || name === 'start-api' || name === 'shutdown') return { type: name };
  throw new Error(`A script cannot say ${name}`);
}

const settingsWords = ({ workerId, buckets }: Settings): string =>
  `worker ${workerId ?? 'unset'}, buckets ${buckets?.join(' ') ?? 'all'}`;

const recordWords = ({ generation, changes }: DesiredRecord): string =>
  `generation ${generation} ${JSON.stringify(changes)}`;

function stateLines(snapshot: NodeSnapshot): string[] {
  if (snapshot.status === 'done') return [`exited with ${snapshot.output?.exitCode}`];
  const { drains, saveFailure, listenFailure, record } = snapshot.context;
  const { value } = snapshot;
  const regions =
    typeof value === 'string' ? [] : Object.entries(value.up).map(([name, at]) => `${name} ${pathOf(at)}`);
  const desired = desiredOf(snapshot);
  return [
    regions.join(' · ').replace(/drain (draining|cutting)/, `$& (${drains.map(({ id }) => id).join(', ')})`),
    `wanted: ${desired.publicApi}, ${settingsWords(desired)} (generation ${record.generation})`,
    ...(saveFailure === null ? [] : [`not saved: ${saveFailure}`]),
    ...(listenFailure === null ? [] : [`not listening: ${listenFailure}`]),
    `allowed: ${allowedCommands(snapshot).join(' ')}`,
  ];
}

/** `starting.opening` for `{ starting: 'opening' }`. */
const pathOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .map(([key, inner]) => `${key}.${pathOf(inner)}`)
        .join();
