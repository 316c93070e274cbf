// Metrics of the public API, summed over the last heartbeats of the server processes.
import { latencyBoundsSec, type ServerMetrics } from './counters.ts';
import { counter, type Family, gauge, histogram, just } from './family.ts';

export function publicFamilies({ counts, connections }: ServerMetrics): Family[] {
  const { answers, sentBytes, broken, firstByte, duration } = counts;
  return [
    counter(
      'distributor_public_requests_total',
      'Answered requests to the public API, by status and cache decision.',
      Object.entries({ 'hit 200': 0, ...answers }).map(([key, count]) => {
        const [cache = '', status = ''] = key.split(' ');
        return [{ status, cache }, count];
      }),
    ),
    counter(
      'distributor_public_broken_responses_total',
      'Incomplete responses of the public API: the client disconnected, or the connection was cut.',
      just(broken),
    ),
    counter(
      'distributor_public_sent_bytes_total',
      'Bytes of objects sent to viewers, by data source: local (files and copies), or external (passed through).',
      Object.entries(sentBytes).map(([source, bytes]) => [{ source }, bytes]),
    ),
    gauge('distributor_public_connections', 'Connections of the public port.', just(connections)),
    histogram(
      'distributor_public_first_byte_seconds',
      'Time from the headers of a request to the first byte of its response.',
      latencyBoundsSec,
      [[{}, firstByte]],
    ),
    histogram(
      'distributor_public_request_duration_seconds',
      'Time from the headers of a request to the end of its response: long for large objects and slow clients.',
      latencyBoundsSec,
      [[{}, duration]],
    ),
  ];
}
