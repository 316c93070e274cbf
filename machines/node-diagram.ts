// Diagrams of the node machine: the operator's view, and the full chart.
import { commandNames } from './commands.ts';
import { type Diagram, fullDiagram, outline } from './diagram/diagram.ts';
import { nodeMachine } from './node.ts';

/** The regions and the states that operators see; inner steps are folded. */
export const nodeOutline: Diagram = outline(nodeMachine, { commands: commandNames, depth: 3 });

/** Every state, every transition, every guard. */
export const nodeDiagram: Diagram = fullDiagram(nodeMachine, { commands: commandNames });
