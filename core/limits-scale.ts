// The bounds of what one process cannot carry: Kafka, Elasticsearch, stages apart. `core/limits.ts` has all of them together.

export const scaleLimits = {
  /** Longest silence after which Kafka gives a member's partitions to others. */
  kafkaSessionMs: 10_000,
  /** Time to connect to a broker, and to log in. */
  kafkaConnectMs: 5_000,
  /** Time a broker has for an answer, beside what it was asked to wait. */
  kafkaRequestMs: 15_000,
  /** How long a call of Kafka is tried again before whoever called hears of it. */
  kafkaGiveUpMs: 20_000,
  /** Waits between two tries double from the first to the second. */
  kafkaRetryMsMin: 100,
  kafkaRetryMsMax: 2_000,
  /** How often it is asked again which broker leads what. */
  kafkaMetadataMs: 60_000,
} as const;
