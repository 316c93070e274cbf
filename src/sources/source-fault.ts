// What is wrong with a source: a kind, which decides the reaction, and a short message without secrets.
import type { ReasonOf } from '../base/condition.ts';
import { codeOf } from '../base/errors.ts';

/**
 * `absent`: the source does not have the object. `changed`: it has another version now. `failed`: it cannot be used now, and is
 * tried after all others. `wrong`: it breaks the protocol, lies, or has an address that is not allowed, and is not tried.
 */
export type FaultKind = 'absent' | 'changed' | 'failed' | 'wrong';

export class SourceFault extends Error {
  override readonly name = 'SourceFault';
  readonly kind: FaultKind;
  readonly reason: ReasonOf<'SourceFailing'>;

  /** @param message follows the name of the source: `has answered 500` */
  constructor(kind: FaultKind, reason: ReasonOf<'SourceFailing'>, message: string) {
    super(message);
    this.kind = kind;
    this.reason = reason;
  }
}

export const wrongAnswer = (message: string): SourceFault => new SourceFault('wrong', 'BadAnswer', message);

/** The fault for an error of the HTTP client. Shows only the code, because the source may have written the message. */
export function faultOf(error: unknown): SourceFault {
  if (error instanceof SourceFault) return error;
  const code = codeOf(error) ?? '';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return wrongAnswer('sends a head that is too large');
  if ((error as Error | undefined)?.name === 'HTTPParserError') return wrongAnswer('sends something that is not HTTP');
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return new SourceFault('failed', 'BadAnswer', 'ends early');
  if (code === 'UND_ERR_SOCKET') return new SourceFault('failed', 'NoAnswer', 'has closed the connection');
  const shown = /^[A-Z0-9_]{1,50}$/.test(code) ? code : 'no reason given';
  return new SourceFault('failed', 'NoAnswer', `cannot be reached: ${shown}`);
}

/** The fault for an unexpected status. */
export function statusFault(status: number): SourceFault {
  if (status === 404 || status === 410) return new SourceFault('absent', 'BadAnswer', 'does not have it');
  // The source may be overloaded, or refuse only for now.
  if (status >= 400 && status !== 416) return new SourceFault('failed', 'BadAnswer', `has answered ${status}`);
  return wrongAnswer(`has answered ${status}`);
}
