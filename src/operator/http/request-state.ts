// What is known of a request of the operator API as it is judged: Koa's `ctx.state`.
import type { CommandName } from '../../../machines/commands.ts';
import type { Problem } from '../../base/errors.ts';
import type { StateDocument } from '../../control/node-control.ts';
import type { Token } from '../auth/tokens.ts';

/** Where the node was. */
export type Moment = Pick<StateDocument, 'node' | 'publicApi' | 'generation'>;

export const momentOf = ({ node, publicApi, generation }: Moment): Moment => ({ node, publicApi, generation });

export interface OperatorState {
  /** Of the client's making or ours; in the answer's `X-Request-Id`. */
  requestId?: string;
  token?: Token;
  command?: CommandName;
  /** The command is only to be previewed. */
  dryRun?: boolean;
  /** The body once it has been found valid. */
  input?: unknown;
  /** The node when a command was put to it, and when that had ended. */
  before?: Moment;
  after?: Moment;
  /** What it was answered with, if not with success. */
  problem?: Problem;
}
