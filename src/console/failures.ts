// What went wrong, in words, and what the operator can do next.
import type { Problem } from './api.ts';

export interface Failure {
  readonly what: string;
  readonly next: string;
}

/** @param problem null: no answer came */
export function failureOf(problem: Problem | null): Failure {
  if (problem === null) {
    return {
      what: 'No answer came.',
      next: 'Whether it was carried out is not known: wait until this page is live again and look at the state.',
    };
  }
  const { status, detail } = problem;
  return { what: `${status} ${sentence(detail)}`, next: nextAfter(problem) };
}

function nextAfter({ status, detail, allowed = [], requestId }: Problem): string {
  switch (status) {
    case 400:
      return 'Mend what is marked and try again.';
    case 401:
      return nextAfter401(detail);
    case 403:
      return /reading/.test(detail)
        ? 'Sign in with a token of the scope operate, or with the secret.'
        : 'Open this page under a name that the node knows, or list the name in operatorApi.allowedHosts.';
    case 409:
      return allowed.length > 0 ? `Possible now: ${allowed.join(', ')}.` : 'No command is possible now.';
    case 412:
      return 'Somebody else has changed the node meanwhile: look at what is shown now and try again.';
    case 413:
      return 'Name fewer at once, or raise operatorApi.maxBodyBytes.';
    default:
      return status >= 500
        ? `Nothing was changed unless the state says so. Mend the cause and try again; the node's log tells more${requestId === null ? '' : ` (request ${requestId})`}.`
        : 'Look into the API reference for what this answer means.';
  }
}

function nextAfter401(detail: string): string {
  if (/signature/.test(detail)) return 'Sign in with the secret of this node (operator-secret in its state directory).';
  if (/expired/.test(detail)) return 'Make a new token (distributor-node token) and sign in again.';
  if (/clock|older|future/.test(detail)) return 'Set the clocks of this device and of the node, then try again.';
  if (/turned off/.test(detail)) return 'Sign in with the secret instead.';
  return 'Sign in again with the secret or a new access token.';
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
