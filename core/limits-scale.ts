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
  /** Time for one call of Elasticsearch: a large bulk on a busy cluster takes long. */
  elasticsearchRequestMs: 60_000,
  /** One bulk request to Elasticsearch. */
  bulkDocumentsMax: 5_000,
  bulkCharsMax: 8 * 1024 * 1024,
  /** How often documents are sent that the cluster cannot take just then; the waits between double to a bound. */
  bulkTries: 8,
  bulkBackoffMsMin: 100,
  bulkBackoffMsMax: 10_000,
  /** How near to midnight a call may have another revision on the other side: copies on two devices, an answer that came late. */
  daySlackSeconds: 600,
  /** How often an incident is made anew that others change at the same time. */
  incidentTries: 20,
} as const;
