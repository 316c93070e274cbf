// Puts the operator's side of a node together: its records on disk, the events and the API; and takes it apart in order.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Condition } from '../base/condition.ts';
import { affordableConnections } from '../base/open-files.ts';
import type { SyncDirectory } from '../base/sync-directory.ts';
import type { Config } from '../config/config.ts';
import type { ObservableNode } from '../control/node-control.ts';
import type { Logger } from '../log/log.ts';
import type { PublicSide } from '../supervisor/public-side.ts';
import type { Audit } from './audit/audit-entry.ts';
import { type OperatorRecords, openOperatorRecords } from './audit/records.ts';
import { Events } from './events/events.ts';
import { listen } from './http/listen.ts';
import { createOperatorApi } from './http/operator-api.ts';

export interface OperatorSideParts {
  readonly secret: Uint8Array;
  readonly node: ObservableNode;
  readonly publicSide: PublicSide;
  readonly isBucketId: (id: string) => boolean;
  readonly log: Logger;
  readonly syncDirectory: SyncDirectory;
}

export interface OperatorSide {
  /** Where the operator API listens, with its actual port. */
  readonly url: string;
  readonly conditions: readonly Condition[];
  readonly audit: Audit;
  /**
   * Tell the readers of the events that it has ended, and close the API and the records.
   * @param options.answersMs how long answers under way may take
   */
  close(options: { readonly exitCode: number; readonly answersMs: number }): Promise<void>;
}

type OperatorConfig = Config & { readonly operatorApi: NonNullable<Config['operatorApi']> };

/** @throws {Error} where the API cannot listen, with the operator's reason */
export async function openOperatorSide(config: OperatorConfig, parts: OperatorSideParts): Promise<OperatorSide> {
  const { node, publicSide } = parts;
  const { operatorApi } = config;
  const records = await openOperatorRecords(config, operatorApi, parts.syncDirectory);
  const events = new Events({ node, counts: () => publicSide.activity, limits: operatorApi });
  try {
    const listener = await open(config, parts, { records, events });
    return {
      url: listener.url,
      get conditions() {
        return records.conditions;
      },
      audit: records.auditTrail.audit,
      async close({ exitCode, answersMs }) {
        // The answer to the last command is on its way when the machine has ended: it is told of first.
        await nextTurn();
        events.end(exitCode);
        await listener.close(answersMs);
        await records.close();
      },
    };
  } catch (error) {
    events.end(1);
    await records.close();
    throw error;
  }
}

function open(
  { id, operatorApi }: OperatorConfig,
  { secret, node, publicSide, isBucketId, log }: OperatorSideParts,
  { records: { usedTokens, auditTrail }, events }: { readonly records: OperatorRecords; readonly events: Events },
) {
  auditTrail.subscribe((entry) => events.command(entry));
  const app = createOperatorApi({
    node,
    publicSide,
    config: { id, operatorApi },
    secret,
    isBucketId,
    log,
    usedTokens,
    health: () => node.health,
    events,
    audit: auditTrail.audit,
  });
  const maxConnections = affordableConnections(operatorApi.maxConnections, 2);
  return listen(app, { ...operatorApi, maxConnections }, log);
}
