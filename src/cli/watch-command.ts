// `watch`: the events of a node in a terminal, until it ends or somebody has seen enough.
import { Command } from 'commander';
import type { ReceivedEvent } from '../client/event-parser.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { enough } from './interrupt-signal.ts';
import { type CallOptions, calling, connect } from './operator-commands.ts';

export const watchCommand = (): Command =>
  calling(new Command('watch'), ['watch', 'watch --output json | jq .event'])
    .summary('Show what happens on the node, as it happens.')
    .description(
      'Show what happens on the node, as it happens: steps, commands, refusals, conditions, drains. It comes back by itself ' +
        'when the connection breaks, with what it has missed, and ends with the node or with Ctrl-C. With --output json, ' +
        'every event is a line.',
    )
    .action(watch);

async function watch(options: CallOptions): Promise<void> {
  const { client, ...from } = await connect(options);
  const { EventsRefused, followEvents } = await import('../client/event-follower.ts');
  const { WatchText } = await import('./watch-text.ts');
  const { problemText, strangerText } = await import('./answers.ts');
  const text = new WatchText();
  const lines = (event: ReceivedEvent) => (options.output === 'json' ? [jsonLine(event)] : text.lines(event));
  const lost = (why: string) => console.error(`Lost the node: ${why}. Trying again…`);
  try {
    for await (const event of followEvents({ open: client.events, signal: enough(), lost })) {
      for (const line of lines(event)) console.log(line);
    }
  } catch (error) {
    if (!(error instanceof EventsRefused)) throw error;
    const { answer } = error;
    const isNode = answer.status >= 400;
    console.error(isNode ? problemText(answer, from) : strangerText(answer, from));
    process.exitCode = isNode ? exitCodeOf(answer.status) : exitCode('unreachable');
  }
}

const jsonLine = ({ name, lastEventId, data }: ReceivedEvent): string =>
  JSON.stringify({ event: name, id: lastEventId, data: JSON.parse(data) });
