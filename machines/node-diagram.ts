// The pictures of the node machine: the operator's view of it, and all of it.
import { commandNames } from './commands.ts';
import { type Diagram, fullDiagram, outline } from './diagram/diagram.ts';
import { nodeMachine } from './node.ts';

/** The regions and the states that an operator sees in them; steps within those states are folded away. */
export const nodeOutline: Diagram = outline(nodeMachine, { commands: commandNames, depth: 3 });

/** Every state, every transition, every guard. */
export const nodeDiagram: Diagram = fullDiagram(nodeMachine, { commands: commandNames });
