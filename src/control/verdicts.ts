// What is told of a command that was not carried out, and what a precondition is asked about.
import { allowedCommands, type NodeSnapshot, statusOf, wishesOf } from '../../machines/judge.ts';
import type { Version } from './node-control.ts';

export const versionOf = (snapshot: NodeSnapshot): Version => ({
  generation: snapshot.context.record.generation,
  desired: wishesOf(snapshot),
});

const whereabouts = (snapshot: NodeSnapshot) => ({ state: statusOf(snapshot), allowed: allowedCommands(snapshot) });

export const refusal = (snapshot: NodeSnapshot, reason: string) => ({
  result: 'refused' as const,
  reason,
  ...whereabouts(snapshot),
});

export const movedOn = (snapshot: NodeSnapshot) => ({
  result: 'moved' as const,
  generation: snapshot.context.record.generation,
  ...whereabouts(snapshot),
});
