// Puts the operator's side of a node together: its records on disk, the events and the API; and takes it apart in order.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Trouble } from '../condition.ts';
import type { Config } from '../config.ts';
import type { Node } from '../control/node.ts';
import type { PublicSide } from '../control/public-side.ts';
import type { Logger } from '../log.ts';
import { affordableConnections } from '../open-files.ts';
import { createOperatorApi } from '../operator/api.ts';
import type { Audit } from '../operator/audit.ts';
import { Events } from '../operator/events.ts';
import { listen } from '../operator/listen.ts';
import { type OperatorRecords, openOperatorRecords } from '../operator/records.ts';
import type { SyncDirectory } from '../sync-directory.ts';

export interface OperatorSideParts {
  readonly secret: Uint8Array;
  readonly node: Node;
  readonly publicSide: PublicSide;
  readonly isBucketId: (id: string) => boolean;
  readonly log: Logger;
  readonly syncDirectory: SyncDirectory;
}

export interface OperatorSide {
  /** Where the operator API listens, with its actual port. */
  readonly url: string;
  readonly troubles: readonly Trouble[];
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
  const events = new Events({ node, counts: () => publicSide.figures, limits: operatorApi });
  try {
    const listener = await open(config, parts, { records, events });
    return {
      url: listener.url,
      get troubles() {
        return records.troubles;
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
