// Creates the operator side of a node (records on disk, events, API) and closes it in order.
import type { Condition } from '../base/condition.ts';
import { affordableConnections } from '../base/open-files.ts';
import type { SyncDirectory } from '../base/sync-directory.ts';
import type { Config } from '../config/config.ts';
import type { ObservableNode } from '../control/node-control.ts';
import type { Logger } from '../log/log.ts';
import type { PublicSide } from '../supervisor/public-side.ts';
import type { Audit } from './audit/audit-entry.ts';
import { type OperatorRecords, openOperatorRecords } from './audit/records.ts';
import { eventLimits } from './events/event-limits.ts';
import { Events } from './events/events.ts';
import { listen } from './http/listen.ts';
import { createOperatorApi } from './http/operator-api.ts';
import { UnderWay } from './http/under-way.ts';

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
  /** Refuse further requests; resolves when all pending ones are answered. */
  answer(): Promise<void>;
  /**
   * Send the last event to its readers, and close the API and the records.
   * @param options.answersMs how long pending answers may take
   */
  close(options: { readonly exitCode: number; readonly answersMs: number }): Promise<void>;
}

type OperatorConfig = Config & { readonly operatorApi: NonNullable<Config['operatorApi']> };

/** @throws {Error} if the API cannot listen, with a message for the operator */
export async function openOperatorSide(config: OperatorConfig, parts: OperatorSideParts): Promise<OperatorSide> {
  const { node, publicSide } = parts;
  const { operatorApi } = config;
  const records = await openOperatorRecords(config, operatorApi, parts.syncDirectory);
  const underWay = new UnderWay();
  const events = new Events({ node, counts: () => publicSide.activity, limits: { ...operatorApi, ...eventLimits } });
  try {
    const listener = await open(config, parts, { records, events, underWay });
    return {
      url: listener.url,
      get conditions() {
        return records.conditions;
      },
      audit: records.auditTrail.audit,
      async answer() {
        await listener.refuse();
        await underWay.answered(operatorApi.bodyWaitMs);
      },
      async close({ exitCode, answersMs }) {
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

interface OpenParts {
  readonly records: OperatorRecords;
  readonly events: Events;
  readonly underWay: UnderWay;
}

function open(
  { id, operatorApi }: OperatorConfig,
  { secret, node, publicSide, isBucketId, log }: OperatorSideParts,
  { records: { usedTokens, auditTrail }, events, underWay }: OpenParts,
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
    underWay,
    audit: auditTrail.audit,
  });
  const maxConnections = affordableConnections(operatorApi.maxConnections, 2);
  return listen(app, { ...operatorApi, maxConnections }, log);
}
