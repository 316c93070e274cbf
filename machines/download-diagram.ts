// The diagram of the download machine.
import { type Diagram, outline } from './diagram/diagram.ts';
import { downloadMachine } from './download.ts';

/** Every state and every transition. */
export const downloadOutline: Diagram = outline(downloadMachine, { depth: 2 });
