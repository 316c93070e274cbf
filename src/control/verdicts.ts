// Results of commands that were not executed, and the version that a precondition compares.
import { allowedCommands, type NodeSnapshot, statusOf, wishesOf } from '../../machines/judge.ts';
import type { Version } from './node-control.ts';

export const versionOf = (snapshot: NodeSnapshot): Version => ({
  generation: snapshot.context.record.generation,
  desired: wishesOf(snapshot),
});

const judgedIn = (snapshot: NodeSnapshot) => ({ state: statusOf(snapshot), allowed: allowedCommands(snapshot) });

export const refusal = (snapshot: NodeSnapshot, reason: string) => ({
  result: 'refused' as const,
  reason,
  ...judgedIn(snapshot),
});

export const movedOn = (snapshot: NodeSnapshot) => ({
  result: 'moved' as const,
  generation: snapshot.context.record.generation,
  ...judgedIn(snapshot),
});
