// Entry point of the content process: opens the index, runs the directory, and answers the control and server processes.
import { writeSync } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import type { ContentOrder, ContentReport } from '../ipc/content-messages.ts';
import { Content } from './content.ts';

// Terminals, and some process managers, signal the whole process group: only the control process reacts.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The control process may have died: output errors must not crash this process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const content = new Content(report, die);

process.on('message', (order: ContentOrder) => void execute(order));
// Exit with the control process: a new one starts its own content process.
process.once('disconnect', () => process.exit(0));
report({ type: 'hello' });

async function execute(order: ContentOrder): Promise<void> {
  const { seq } = order;
  try {
    switch (order.type) {
      case 'setup':
        content.open(order.setup);
        break;
      case 'settings':
        content.configure(order.settings);
        break;
      case 'preview':
        report({ type: 'confirmed', seq, change: content.preview(order.before, order.after, order.maxIds) });
        return;
      case 'leave':
        await content.close();
        process.exit(0);
    }
    report({ type: 'confirmed', seq });
  } catch (error) {
    report({ type: 'failed', seq, code: 'FAILED', reason: messageOf(error) });
  }
}

/** The control process logs the last line written to stderr, and starts a replacement. */
function die(message: string): never {
  writeSync(process.stderr.fd, `Error: ${message}\n`);
  process.exit(1);
}

function report(message: ContentReport): void {
  // The channel may break at any moment; `disconnect` follows.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
