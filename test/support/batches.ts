// Commands given to one node at the same moment, while its steps are let through or fail in random order: one seed, one batch.
import fc from 'fast-check';
import type { ObservableNode } from '../../src/control/node-control.ts';
import type { Node } from '../../src/control/node-runner.ts';
import { GatedNode, type OperatorSide } from './harness.ts';
import { bodyOf, History } from './history.ts';
import { type Explanation, explain, type Operation } from './linearizable.ts';
import { sampleInput, standing } from './model.ts';
import { randomOperation, sampleOf } from './random-commands.ts';
import { turns } from './until.ts';

/** How many turns of the event loop to wait before. */
const pause = fc.oneof(fc.constant(0), fc.nat(12));

const batch = fc.record({
  publicApi: fc.constantFrom('running', 'stopped'),
  operations: fc.array(
    fc.record({
      pause,
      command: fc.oneof(
        { weight: 8, arbitrary: randomOperation },
        { weight: 1, arbitrary: fc.constant<Operation['command']>({ type: 'shutdown' }) },
      ),
    }),
    { minLength: 2, maxLength: 8 },
  ),
  /** One for each step of the node; afterwards from the beginning. */
  steps: fc.array(fc.record({ pause, fails: fc.nat(9).map((one) => one === 0) }), { minLength: 6, maxLength: 6 }),
});

export interface BatchResult extends Explanation {
  readonly history: History;
}

export async function runBatch(
  operator: OperatorSide,
  seed: number,
  dispatch?: (node: Node) => ObservableNode,
): Promise<BatchResult> {
  const { publicApi, operations, steps } = sampleOf(batch, seed);
  const { config } = sampleInput(publicApi);
  await using node = new GatedNode({ operator, config, ...(dispatch && { dispatch }) });
  await node.node.restore();
  node.hold();
  const history = new History();
  let isOver = false;
  let step = 0;
  // Behind the last answers a real node has closed its port, which the operator never does: nothing leaves before all have asked.
  const { answer: _, ...gates } = node.gates;
  const gatekeepers = Object.values(gates).map(async (gate) => {
    for (;;) {
      await gate.reached();
      if (isOver) return;
      const { pause, fails } = steps[step++ % steps.length] ?? { pause: 0, fails: false };
      await turns(pause);
      if (isOver) return;
      if (fails) gate.fail('It was made to fail');
      else gate.release();
      gate.hold();
    }
  });
  await Promise.all(
    operations.map(async ({ pause, command }) => {
      await turns(pause);
      await history.ask(command, () =>
        command.type === 'read' ? operator.client.state() : operator.client.command(command.type, bodyOf(command)),
      );
    }),
  );
  isOver = true;
  for (const gate of Object.values(node.gates)) gate.pass().catch(() => {});
  node.open();
  await Promise.all(gatekeepers);
  const start = standing({ generation: 0, ...config });
  return { history, ...explain(start, history.operations, { faults: true }) };
}
