// The diagram of the download machine.
import { type Diagram, outline } from './diagram/diagram.ts';
import { downloadMachine } from './download.ts';

/** Every state, and what leads from one to the next. */
export const downloadOutline: Diagram = outline(downloadMachine, { depth: 2 });
