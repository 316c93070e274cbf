// The limits of the event stream that fit every installation. Tests set smaller ones.

export const eventLimits = {
  /** Events kept for readers that reconnect: hours of a quiet node, minutes of a busy one. */
  eventsBufferBytes: 1_048_576,
  /** A reader that leaves more than this unread is disconnected. */
  eventsBacklogBytes: 1_048_576,
  /** Below the idle timeout of every common proxy. */
  eventsHeartbeatMs: 15_000,
};
