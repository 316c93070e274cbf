// `watch`: the events of a node in a terminal, until it ends or somebody has seen enough.
import { Command } from 'commander';
import type { ReceivedEvent } from '../client/event-parser.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { enough } from './interrupt-signal.ts';
import { type CallOptions, calling, connect } from './operator-commands.ts';
import { complain, say, sayJson } from './print.ts';

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
  const { problemLines, strangerText } = await import('./answers.ts');
  const text = new WatchText();
  const show = (event: ReceivedEvent) =>
    options.output === 'json' ? sayJson(documentOf(event)) : say(...text.lines(event));
  const lost = (why: string) => complain(`Lost the node: ${why}. Trying again…`);
  try {
    for await (const event of followEvents({ open: client.events, signal: enough(), lost })) {
      show(event);
    }
  } catch (error) {
    if (!(error instanceof EventsRefused)) throw error;
    const { answer } = error;
    const isNode = answer.status >= 400;
    complain(...(isNode ? problemLines(answer, from) : [strangerText(answer, from)]));
    process.exitCode = isNode ? exitCodeOf(answer.status) : exitCode('unreachable');
  }
}

const documentOf = ({ name, lastEventId, data }: ReceivedEvent) => ({
  event: name,
  id: lastEventId,
  data: JSON.parse(data),
});
