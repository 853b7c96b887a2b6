// Every bound of sealwatch: its name, its unit and why it is there (guarantee 8).

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Longest audit line. Lists of leases or accessors reach tens of MB (vault-audit.md 7.8). */
  lineBytesMax: 64 * MiB,
  /** Bytes of unfinished lines over all connections; past it the longest is given up and counted. */
  partialBytesMax: 256 * MiB,
  /** Open connections of one listener. Vault opens one per device and node. */
  connectionsMax: 256,
  /** Lines waiting for the disk. Past it sockets go on and what is dropped is counted; the file tail waits. */
  spoolQueueBytesMax: 128 * MiB,
  /** Longest line that is parsed to be redacted; a longer one is searched as bytes, or its data is cut out as a whole. */
  redactWalkBytesMax: 256 * KiB,
  /** Longest line whose data is cut out; a longer one that shows secrets is withheld. */
  redactCutBytesMax: 2 * MiB,
  /** Deepest nesting that is parsed. Real lines stay under 20. */
  nestingMax: 100,
  /** A request id longer than this is not used as an id. */
  requestIdCharsMax: 128,
  /** Bytes of `request.data` or `response.data` kept in an event; a larger one is left out and named in `vault.truncated`. */
  eventDataBytesMax: 64 * KiB,
  /** Characters kept of a free text such as an error message or a path. */
  textCharsMax: 4096,
  /** Texts kept of a list such as policies or warnings. */
  listTextsMax: 200,
  /** One segment file of the stream. */
  segmentBytesMax: 64 * MiB,
  /** Bytes that a consumer asks for in one read. */
  readBytesMax: 1 * MiB,
  /** Bytes of one partition that the indexer takes into one transaction: few large ones cost half of many small ones. */
  indexBytesMax: 8 * MiB,
  /** Recent records of a partition kept decoded in memory for the next stage. */
  recentBytesMax: 16 * MiB,
  /** Records of each partition that a start looks back through for the place of a file device. */
  recoverRecordsMax: 100_000,
  /** How often an idle file is looked at. */
  tailPollMs: 200,
  /** A renamed file is left for the new one when nothing has come for this long. */
  tailSwitchMs: 1_000,
  /** Time between two group commits of the spool, so that one fsync serves many lines. */
  groupCommitMs: 10,
  /** Calls of one partition that wait for their other half or another device. Past it the oldest goes out as it is. */
  pendingCallsMax: 100_000,
  /** How far behind the watermark an hour's counts are kept in memory. */
  coverageMemorySeconds: 172_800,
  /** Counts of devices and hours that one partition keeps in memory. */
  coverageRowsMax: 2_000,
  /** Ids of emitted calls remembered by one partition. */
  emittedMax: 500_000,
  /** How long a half that went out alone waits for its other half, in event time. Vault gives a request 90 s. */
  halfMemorySeconds: 300,
  /** A line from further in the future than this does not move the device's time. */
  futureSeconds: 300,
  /** A line from further in the future than this is rejected: a clock may be wrong by hours, not by more than a day. */
  futureSecondsMax: 86_400,
  /** Most that one tick lets event time pass: after a pause of the machine, what was written meanwhile is not late. */
  tickMsMax: 1_500,
  /** A device without a line for this long no longer holds the watermark back; nor does a socket that is this far behind. */
  deviceIdleSeconds: 60,
  /** Replay keeps the watermark this far behind, so that order inside it does not matter. */
  replaySlackSeconds: 60,
  /** Matches of one rule and group within this time of the first belong to one alert. */
  alertGroupSeconds: 900,
  /** Matches of rules that wait for the watermark; past it a new one is dropped and counted. */
  waitingMatchesMax: 500_000,
  /** Groups of one rule that are counted at a time; past it the oldest is dropped and counted. */
  ruleGroupsMax: 100_000,
  /** Matches kept of one group's window. */
  windowEventsMax: 1_000,
  /** `evidence.event_ids` of one alert. */
  alertEventIdsMax: 50,
  /** Identities that an alert names. */
  alertIdentitiesMax: 3,
  /** Rule file size. */
  ruleBytesMax: 64 * KiB,
  /** Characters of a value that a regular expression of a rule sees. */
  regexCharsMax: 4096,
  /** Alerts whose delivery is remembered, so that none goes out twice. */
  deliveredMemory: 10_000,
  /** Rows of one list answer. */
  pageRowsMax: 1000,
  /** Rows of one evidence population; past it the answer says that it is not complete. */
  evidenceRowsMax: 100_000,
  /** Distinct values of another field (addresses, names) that one group shows. */
  collectedValuesMax: 20,
  /** Hashes of one token or accessor that an answer follows: one per device and salt. */
  sameHashesMax: 100,
  /** Body of one API request; none of the present ones needs a body. */
  apiBodyBytesMax: 64 * KiB,
  /** Time an API client has to send its request. */
  apiRequestMs: 15_000,
  /** Characters of an id in a path: lease ids hold whole paths. */
  apiParamCharsMax: 1024,
  /** Time between two snapshots of a stage. */
  snapshotMs: 2_000,
} as const;
