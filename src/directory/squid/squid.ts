// Joystream's storage squid as a directory: syncs what the settings need, and looks up single objects.
import type { SquidSetup } from '../../ipc/content-messages.ts';
import type { IndexWriter } from '../../store/object-index.ts';
import type { Directory } from '../directory.ts';
import { type Clock, systemClock } from './clock.ts';
import { SquidClient } from './squid-client.ts';
import { SquidConditions } from './squid-conditions.ts';
import { SquidLookUps } from './squid-look-ups.ts';
import { squidAt } from './squid-request.ts';
import { SquidSync } from './squid-sync.ts';

export interface SquidPorts {
  readonly index: IndexWriter;
  readonly log: { info(message: string): void; warn(message: string): void };
  readonly clock?: Clock;
}

/** Queries nothing before `start`. Failures become conditions, never errors. */
export function openSquid(setup: SquidSetup, { index, log, clock = systemClock }: SquidPorts): Directory {
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  const end = new AbortController();
  const { ask } = squidAt(setup.url);
  const { pageTimeoutMs, lookUpTimeoutMs } = setup;
  const client = new SquidClient({ ask, pageTimeoutMs, lookUpTimeoutMs, signal: end.signal });
  const conditions = new SquidConditions(changed);
  const { pageBags, pauseMs, syncEveryMs: everyMs } = setup;
  const sync = new SquidSync({ client, index, conditions, clock, log, pageBags, pauseMs, everyMs, changed });
  const { lookUpPauseMs, maxWaitingLookUps: maxWaiting, cacheMs, maxCachedLookUps: maxCached } = setup;
  const bounds = { pauseMs: lookUpPauseMs, maxWaiting, cacheMs, maxCached, signal: end.signal };
  const lookUps = new SquidLookUps({ client, index, conditions, clock, ...bounds });
  let isStarted = false;

  return {
    start: () => {
      if (isStarted || end.signal.aborted) return;
      isStarted = true;
      sync.start();
    },
    stop: async () => {
      end.abort();
      await sync.stop();
      listeners.clear();
    },
    configure: (settings) => sync.configure(settings),
    unread: (settings) => sync.unread(settings),
    lookUp: async (objectId) => (isStarted ? lookUps.lookUp(objectId) : { result: 'undecided' }),
    // The index already has what the network states, so there is nothing to check again.
    reportBadCopy: () => {},
    get conditions() {
      return conditions.list;
    },
    get progress() {
      return sync.progress;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
