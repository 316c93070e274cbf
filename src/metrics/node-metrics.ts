// Metrics of the node: states, conditions, server processes and drains.
import { nodeMachine } from '../../machines/node.ts';
import { type ConditionType, conditionTable } from '../base/condition.ts';
import type { StateDocument } from '../control/node-control.ts';
import { type HistogramReading, lagBoundsSec, type ServerMetrics } from './counters.ts';
import { counter, type Family, gauge, histogram, just, stateSet } from './family.ts';

type MeasuredState = Pick<
  StateDocument,
  'version' | 'node' | 'publicApi' | 'generation' | 'drain' | 'workers' | 'conditions' | 'directory'
> & { readonly desired: Pick<StateDocument['desired'], 'publicApi'> };

export interface NodeReading {
  readonly state: MeasuredState;
  readonly serverMetrics: ServerMetrics;
  /** Lost server processes, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  /** Connections cut at the deadline of a drain. */
  readonly cut: number;
  /** Of the control process. */
  readonly lag: HistogramReading;
  /** Every type of condition raised since the node started. */
  readonly conditionTypes: Iterable<ConditionType>;
}

const statesIn = (region: string): string[] => Object.keys(nodeMachine.states.up?.states[region]?.states ?? {});
const nodeStates = statesIn('node');
const publicStates = statesIn('publicApi');
const workerStates = ['starting', 'idle', 'serving', 'draining'] as const;

/** Start at 0: otherwise the first increase would not be visible. */
const usualLosses = { SIGKILL: 0, ExitCode1: 0, Unresponsive: 0 };

export function nodeFamilies({ state, serverMetrics, losses, cut, lag, conditionTypes }: NodeReading): Family[] {
  const { counts } = serverMetrics;
  const present = new Set(state.conditions.map(({ type }) => type));
  const inState = (wanted: string) => state.workers.filter((worker) => worker.state === wanted).length;
  return [
    gauge('distributor_build_info', 'Version of the node and of Node.js; always 1.', [
      [{ version: state.version, node_version: process.version }, 1],
    ]),
    gauge('distributor_node_state', 'State of the node: 1 for the current one.', stateSet(nodeStates, state.node)),
    gauge(
      'distributor_public_api_state',
      'State of the public API: 1 for the current one.',
      stateSet(publicStates, state.publicApi),
    ),
    gauge(
      'distributor_public_api_wanted',
      'Target state of the public API: 1 if running.',
      just(state.desired.publicApi === 'running' ? 1 : 0),
    ),
    gauge('distributor_generation', 'Changes of desired state so far.', just(state.generation)),
    gauge(
      'distributor_condition',
      'Conditions by type and severity: 1 while present.',
      [...new Set([...conditionTypes, ...present])].map((type) => [
        { type, severity: conditionTable[type].severity },
        present.has(type) ? 1 : 0,
      ]),
    ),
    gauge(
      'distributor_workers',
      'Server processes by state.',
      workerStates.map((name) => [{ state: name }, inState(name)]),
    ),
    counter(
      'distributor_worker_restarts_total',
      'Server processes lost and replaced, by reason.',
      Object.entries({ ...usualLosses, ...losses }).map(([reason, count]) => [{ reason }, count]),
    ),
    counter('distributor_worker_cpu_seconds_total', 'CPU time of the server processes.', just(counts.cpuSec)),
    gauge(
      'distributor_worker_resident_memory_bytes',
      'Resident memory of the live server processes.',
      just(serverMetrics.residentBytes),
    ),
    histogram('distributor_event_loop_lag_seconds', 'Event loop lag, sampled ten times a second.', lagBoundsSec, [
      [{ process: 'control' }, lag],
      [{ process: 'worker' }, counts.lag],
    ]),
    gauge('distributor_directory_objects', 'Objects in the index.', just(state.directory?.objects ?? 0)),
    gauge('distributor_directory_bags', 'Bags in the index.', just(state.directory?.bags ?? 0)),
    gauge(
      'distributor_directory_reading',
      'Whether an import or a sync of the directory is in progress: 1 if so.',
      just(state.directory?.activity === 'reading' ? 1 : 0),
    ),
    gauge(
      'distributor_directory_files_to_hash',
      'Files of the catalogue that are still to be hashed.',
      just(state.directory?.filesToHash ?? 0),
    ),
    gauge(
      'distributor_squid_height',
      'Last block that the storage squid has processed; 0: not known.',
      just(state.directory?.height ?? 0),
    ),
    gauge('distributor_drain_connections', 'Connections that are draining.', just(state.drain?.connections ?? 0)),
    gauge(
      'distributor_drain_remaining_bytes',
      'Bytes still to be sent on draining connections.',
      just(state.drain?.bytesLeft ?? 0),
    ),
    counter('distributor_drain_cut_connections_total', 'Connections cut at the deadline of a drain.', just(cut)),
  ];
}
