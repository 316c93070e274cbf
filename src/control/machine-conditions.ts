// The conditions that the machine itself knows: a state that is not saved, a public API that could not be started.
import { type NodeSnapshot, statusOf } from '../../machines/judge.ts';
import { type Condition, condition } from '../base/condition.ts';

export function machineConditions(snapshot: NodeSnapshot): Condition[] {
  const { context } = snapshot;
  const { node, publicApi } = statusOf(snapshot);
  const conditions: Condition[] = [];
  if (context.saveFailure !== null) {
    const message = `${context.saveFailure}. Changes since the last save would be lost at a restart. The node keeps trying.`;
    conditions.push(condition('StateNotSaved', 'WriteFailed', message));
  }
  if (context.listenFailure !== null && node === 'running' && publicApi === 'stopped') {
    const message = `${context.listenFailure}. The target of the public API is running: start-api tries again.`;
    conditions.push(condition('PublicApiNotListening', 'StartFailed', message));
  }
  return conditions;
}
