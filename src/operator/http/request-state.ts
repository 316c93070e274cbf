// Koa's `ctx.state` for requests of the operator API.
import type { CommandName } from '../../../machines/commands.ts';
import type { Problem } from '../../base/errors.ts';
import type { StateDocument } from '../../control/node-control.ts';
import type { Token } from '../auth/tokens.ts';

/** The state of the node at one time. */
export type Moment = Pick<StateDocument, 'node' | 'publicApi' | 'generation'>;

export const momentOf = ({ node, publicApi, generation }: Moment): Moment => ({ node, publicApi, generation });

export interface OperatorState {
  /** The client's or a generated one; in the answer's `X-Request-Id`. */
  requestId?: string;
  token?: Token;
  command?: CommandName;
  /** The command is only to be previewed. */
  dryRun?: boolean;
  /** The validated body. */
  input?: unknown;
  /** The node before and after the command. */
  before?: Moment;
  after?: Moment;
  /** The answer, if not successful. */
  problem?: Problem;
}
