// Error messages for the operator: what failed, and what to do next.
import type { Problem } from './api.ts';

export interface Failure {
  readonly what: string;
  readonly next: string;
}

/** @param problem null: no answer came */
export function failureOf(problem: Problem | null): Failure {
  if (problem === null) {
    return {
      what: 'No answer.',
      next: 'The command may have been carried out. Wait until this page is live again and check the state.',
    };
  }
  const { status, detail } = problem;
  return { what: `${status} ${sentence(detail)}`, next: nextAfter(problem) };
}

function nextAfter({ status, detail, allowed = [], requestId }: Problem): string {
  switch (status) {
    case 400:
      return 'Correct the marked fields and try again.';
    case 401:
      return nextAfter401(detail);
    case 403:
      return /reading/.test(detail)
        ? 'Sign in with a token of scope operate, or with the secret.'
        : 'Open this page under a host name of the node, or add the name to operatorApi.allowedHosts.';
    case 409:
      return allowed.length > 0 ? `Legal now: ${allowed.join(', ')}.` : 'No command is legal now.';
    case 412:
      return 'The node has changed since you began to edit: check the current state and try again.';
    case 413:
      return 'Send a shorter list, or raise operatorApi.maxBodyBytes.';
    default:
      return status >= 500
        ? `The state shows what changed, if anything. Fix the cause and retry; see the node's log${requestId === null ? '' : ` (request ${requestId})`}.`
        : 'See docs/api.md and the API description of this node.';
  }
}

function nextAfter401(detail: string): string {
  if (/signature/.test(detail)) return 'Sign in with the secret of this node (operator-secret in its state directory).';
  if (/expired/.test(detail)) return 'Create a new token (distributor-node token) and sign in again.';
  if (/clock|older|future/.test(detail)) return 'Set the clocks of this device and of the node, then try again.';
  if (/turned off/.test(detail)) return 'Sign in with the secret instead.';
  return 'Sign in again with the secret or a new access token.';
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
