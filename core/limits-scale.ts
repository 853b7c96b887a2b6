// The bounds of what one process cannot carry: Kafka, Elasticsearch, stages apart. `core/limits.ts` has all of them together.

const KiB = 1024;
const MiB = 1024 * KiB;

export const scaleLimits = {
  /** Longest silence after which Kafka gives a member's partitions to others. */
  kafkaSessionMs: 10_000,
  /** Longest time out of the group before the member is begun anew: some rebalances one after the other. */
  kafkaOutsideMs: 60_000,
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
  /** Longest message: a line of `lineBytesMax`, its head, and what packing adds to bytes that cannot be packed. */
  kafkaMessageBytesMax: 66 * MiB,
  /** Records of one partition that are packed together, unpacked; one record may be longer. */
  kafkaBatchBytesMax: 1 * MiB,
  /** Of all partitions in one request, unpacked. */
  kafkaRequestBytesMax: 8 * MiB,
  /** How long a broker may wait for new records before it answers that there are none. */
  kafkaWaitMs: 250,
  /** How often it is asked how far a partition is that nobody reads. */
  kafkaEndsMs: 500,
  /** What is read ahead for one who reads, unpacked, where there is room. */
  kafkaFetchBytes: 4 * MiB,
  /** Bytes that are read ahead for all who read; and what each has at least. */
  kafkaBufferBytesMax: 256 * MiB,
  kafkaPlaceBytesMin: 256 * KiB,
  /** What nobody has read on from, or asked for, this long is read ahead no more. */
  kafkaPlaceMs: 30_000,
  /** One part of a snapshot. */
  kafkaSnapshotChunkBytes: 512 * KiB,
  /** Time for one call of Elasticsearch: a large bulk on a busy cluster takes long. */
  elasticsearchRequestMs: 60_000,
  /** The same for one search: whoever waits for the answer is told that there is none. */
  elasticsearchReadMs: 30_000,
  /** Time to find out whether the store answers at all; and how long what was found holds. */
  storeLookMs: 3_000,
  storeLookEachMs: 1_000,
  /** After which a client asks again that was told `503`. */
  apiRetryAfterSeconds: 5,
  /** One bulk request to Elasticsearch. */
  bulkDocumentsMax: 5_000,
  bulkCharsMax: 8 * 1024 * 1024,
  /** How often documents are sent that the cluster cannot take just then; the waits between double to a bound. */
  bulkTries: 8,
  bulkBackoffMsMin: 100,
  bulkBackoffMsMax: 10_000,
  /** How long detection waits for a write to Elasticsearch before it goes on beside it. */
  indexHoldMs: 100,
  /** How near to midnight a call may have another revision on the other side: copies on two devices, an answer that came late. */
  daySlackSeconds: 600,
  /** How often an incident is made anew that others change at the same time. */
  incidentTries: 20,
  /** Bytes that the spool is drained onto Kafka in one step, over all partitions. */
  drainBytesMax: 16 * MiB,
  /** How often Kafka is told how far a spool was drained, so that one that was put back to an earlier state is known. */
  drainMarkMs: 10_000,
  /** Waits for a Kafka that is away double from the first to the second. */
  drainRetryMsMin: 500,
  drainRetryMsMax: 10_000,
  /** Spools of which a normaliser remembers how far it has taken them: a record that is sent again is known by it. */
  spoolsMax: 1_000,
  /** A value of a memory that is longer goes into its log in parts of this size. */
  memoryPartBytesMax: 512 * KiB,
  /** What goes into a memory's log at once, but for one message more. */
  memoryChunkBytesMax: 1 * MiB,
  /** A longer key of a memory goes into its log as a hash. */
  memoryNameCharsMax: 1_000,
  /** Largest batch that the topic of a memory takes. */
  memoryMessageBytesMax: 4 * MiB,
  /** Segments of that topic: the newest is never compacted, so that what a crash left half done can be undone later. */
  memorySegmentBytes: 64 * MiB,
  memorySegmentMs: 315_360_000_000,
  /** What is younger in that topic is not compacted: time to undo what a writer wrote that had lost the memory. */
  memoryCompactionLagMs: 3_600_000,
  /** How long that topic remembers that a row went away. */
  memoryTombstoneMs: 604_800_000,
  /** A file of a memory that is older is built anew: the log may have forgotten rows that went away. */
  memoryFileMsMax: 518_400_000,
  /** Writers whose values in parts are put together at a time. */
  memoryWritersMax: 16,
  /** Rows that are read from a memory's table of changes at a time, and written into a new file in one transaction. */
  memoryRowsMax: 500,
  memoryBuildRowsMax: 20_000,
  /** Characters of a value that is asked, ordered or grouped by: three bytes each at most, and Lucene takes no term over 32,766 bytes. */
  columnCharsMax: 8_192,
} as const;
