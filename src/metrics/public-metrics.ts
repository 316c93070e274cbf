// The public API as metrics, summed over the workers as they were at their last heartbeats.
import { latencyBoundsSec, type ServerMetrics } from './counters.ts';
import { counter, type Family, gauge, histogram, just } from './family.ts';

export function publicFamilies({ counts, connections }: ServerMetrics, bytesSent: number): Family[] {
  const { answers, broken, firstByte, duration } = counts;
  return [
    counter(
      'distributor_public_requests_total',
      'Requests to the public API that were answered, by status and what was decided of the object.',
      Object.entries({ 'hit 200': 0, ...answers }).map(([key, count]) => {
        const [cache = '', status = ''] = key.split(' ');
        return [{ status, cache }, count];
      }),
    ),
    counter(
      'distributor_public_broken_responses_total',
      'Answers of the public API that were not sent whole: the client went away, or was cut.',
      just(broken),
    ),
    counter('distributor_public_sent_bytes_total', 'Bytes of objects sent to viewers.', just(bytesSent)),
    gauge('distributor_public_connections', 'Connections of the public port.', just(connections)),
    histogram(
      'distributor_public_first_byte_seconds',
      'From the headers of a request to the first byte of its answer.',
      latencyBoundsSec,
      [[{}, firstByte]],
    ),
    histogram(
      'distributor_public_request_duration_seconds',
      'From the headers of a request to the end of its answer: long for long films and slow viewers.',
      latencyBoundsSec,
      [[{}, duration]],
    ),
  ];
}
