// Collects why the sources of an object have failed, as one error.
import { SourcesFailed } from './source.ts';
import type { SourceFault } from './source-fault.ts';

/** Maximum number of sources that the error names. */
const maxNamed = 5;

export class SourceFailures {
  readonly messages: string[] = [];
  isAbsent = false;

  add(source: string, { kind, message }: SourceFault): void {
    if (kind === 'absent') this.isAbsent = true;
    else this.messages.push(`${source} ${message}`);
  }

  error(objectId: string): SourcesFailed {
    const named = this.messages.slice(0, maxNamed);
    const more = this.messages.length > maxNamed ? [`and ${this.messages.length - maxNamed} more`] : [];
    const none = this.isAbsent ? 'none of them has it' : 'no source can be asked';
    const why = named.length === 0 ? none : [...named, ...more].join('; ');
    return new SourcesFailed(`No source gives object ${objectId}: ${why}`, this.isAbsent && named.length === 0);
  }
}
