// The node as metrics: its states, what is wrong with it, its workers and their drains.
import { nodeMachine } from '../../machines/node.ts';
import { type ConditionType, conditionTable } from '../base/condition.ts';
import type { StateDocument } from '../control/node-control.ts';
import { type HistogramReading, lagBoundsSec, type ServerMetrics } from './counters.ts';
import { counter, type Family, gauge, histogram, just, stateSet } from './family.ts';

type MeasuredState = Pick<
  StateDocument,
  'version' | 'node' | 'publicApi' | 'generation' | 'drain' | 'workers' | 'conditions'
> & { readonly desired: Pick<StateDocument['desired'], 'publicApi'> };

export interface NodeReading {
  readonly state: MeasuredState;
  readonly serverMetrics: ServerMetrics;
  /** Workers lost, by the one word for why. */
  readonly losses: Readonly<Record<string, number>>;
  /** Connections cut at the deadline of a drain. */
  readonly cut: number;
  /** Of the control process. */
  readonly lag: HistogramReading;
  /** Every type of condition that has stood since the node started. */
  readonly conditionTypes: Iterable<ConditionType>;
}

const statesIn = (region: string): string[] => Object.keys(nodeMachine.states.up?.states[region]?.states ?? {});
const nodeStates = statesIn('node');
const publicStates = statesIn('publicApi');
const workerStates = ['starting', 'idle', 'serving', 'draining'] as const;

/** They stand at 0 before they are met: else the first rise could not be seen. */
const usualLosses = { SIGKILL: 0, ExitCode1: 0, Unresponsive: 0 };

export function nodeFamilies({ state, serverMetrics, losses, cut, lag, conditionTypes }: NodeReading): Family[] {
  const { counts } = serverMetrics;
  const standing = new Set(state.conditions.map(({ type }) => type));
  const inState = (wanted: string) => state.workers.filter((worker) => worker.state === wanted).length;
  return [
    gauge('distributor_build_info', 'What runs here; always 1.', [
      [{ version: state.version, node_version: process.version }, 1],
    ]),
    gauge('distributor_node_state', 'The node: 1 for the state it is in.', stateSet(nodeStates, state.node)),
    gauge(
      'distributor_public_api_state',
      'The public API: 1 for the state it is in.',
      stateSet(publicStates, state.publicApi),
    ),
    gauge(
      'distributor_public_api_wanted',
      'Whether the public API is wanted running.',
      just(state.desired.publicApi === 'running' ? 1 : 0),
    ),
    gauge('distributor_generation', 'Changes of desired state so far.', just(state.generation)),
    gauge(
      'distributor_condition',
      'What is wrong now, by type and severity: 1 while the condition stands.',
      [...new Set([...conditionTypes, ...standing])].map((type) => [
        { type, severity: conditionTable[type].severity },
        standing.has(type) ? 1 : 0,
      ]),
    ),
    gauge(
      'distributor_workers',
      'Public worker processes, by what they do.',
      workerStates.map((name) => [{ state: name }, inState(name)]),
    ),
    counter(
      'distributor_worker_restarts_total',
      'Public workers that were lost and replaced, by reason.',
      Object.entries({ ...usualLosses, ...losses }).map(([reason, count]) => [{ reason }, count]),
    ),
    counter('distributor_worker_cpu_seconds_total', 'CPU time of the public workers.', just(counts.cpuSec)),
    gauge(
      'distributor_worker_resident_memory_bytes',
      'Resident memory of the public workers that are alive.',
      just(serverMetrics.residentBytes),
    ),
    histogram(
      'distributor_event_loop_lag_seconds',
      'By how much event loops were late, looked at ten times a second.',
      lagBoundsSec,
      [
        [{ process: 'control' }, lag],
        [{ process: 'worker' }, counts.lag],
      ],
    ),
    gauge(
      'distributor_drain_connections',
      'Connections that a stop has left to end by themselves.',
      just(state.drain?.connections ?? 0),
    ),
    gauge(
      'distributor_drain_remaining_bytes',
      'Bytes that these connections have still to be sent.',
      just(state.drain?.bytesLeft ?? 0),
    ),
    counter('distributor_drain_cut_connections_total', 'Connections cut at the deadline of a drain.', just(cut)),
  ];
}
