// Every bound of sealwatch: its name, its unit and why it is there (guarantee 8).

import { scaleLimits } from './limits-scale.ts';
import { vaultLimits } from './limits-vault.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Longest audit line. Lists of leases or accessors reach tens of MB (vault-audit.md 7.8). */
  lineBytesMax: 64 * MiB,
  /** Bytes of unfinished lines over all connections; past it the longest is given up and counted. */
  partialBytesMax: 256 * MiB,
  /** Of these, from one address. */
  partialBytesPerPeerMax: 128 * MiB,
  /** Open connections of one listener. Vault opens one per device and node. */
  connectionsMax: 256,
  /** Of these, from one address (of IPv6: one /64 network). */
  connectionsPerPeerMax: 32,
  /** Open connections of one HTTP input, and of these from one address: OpenBao has one for each call that is under way. */
  httpConnectionsMax: 1024,
  httpConnectionsPerPeerMax: 512,
  /** Addresses of one input that are remembered with their node. */
  sourcesMax: 1_000,
  /** A connection that says nothing is asked this often whether it is alive; a dead one makes room. */
  keepAliveMs: 60_000,
  /** Time a sender has for its TLS handshake. */
  tlsHandshakeMs: 10_000,
  /** Time a sender of an HTTP device has for its headers, and for a whole request. OpenBao sends both at once. */
  httpHeadersMs: 10_000,
  httpRequestMs: 30_000,
  /** An HTTP connection without a request is kept this long: longer than OpenBao keeps one (90 s), so that it closes first. */
  httpKeepAliveMs: 120_000,
  /** How often a file with tokens or certificates is looked at for a new content. */
  secretPollMs: 1_000,
  /** Tokens of one HTTP device that are valid at the same time. */
  httpTokensMax: 16,
  /** Buffer that the system is asked to give a UDP input; what does not fit into it is lost uncounted. */
  udpBufferBytes: 8 * MiB,
  /** Lines waiting for the disk. Past it sockets go on and what is dropped is counted; the file tail waits. */
  spoolQueueBytesMax: 128 * MiB,
  /** Of these, lines of one input: one that floods must not make the others drop. */
  spoolQueuePerInputBytesMax: 64 * MiB,
  /** How often the parts of the spool that inputs with a quota take are reckoned anew. */
  quotaReckonMs: 60_000,
  /** Longest message on a Unix datagram socket; the sender's own bound (SO_SNDBUF) is mostly lower. */
  datagramBytesMax: 4 * MiB,
  /** Pause before a reader of datagrams that ended is started again. */
  datagramRestartMs: 500,
  /** How often a datagram socket that does not wait by itself is asked. */
  datagramPollMs: 5,
  /** Longest line that is parsed to be redacted; of a longer one the data is cut out as a whole. */
  redactWalkBytesMax: 256 * KiB,
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
  /** Bytes before a place in a file by which the file is known again. */
  fileMarkBytes: 256,
  /** Files of the audit file's folder that are looked at for what rotation made of it. */
  rotatedFilesMax: 1_000,
  /** Time between two group commits of the spool, so that one fsync serves many lines. */
  groupCommitMs: 10,
  /** Calls of one partition that wait for their other half or another device. Past it the oldest goes out as it is. */
  pendingCallsMax: 100_000,
  /** Bytes of the lines of those calls. */
  pendingBytesMax: 256 * MiB,
  /** A longer line is parsed without the `data` of its request and response, which no event could hold. */
  parseBytesMax: 4 * MiB,
  /** Tokens and accessors of each device whose hash on the first-ranked device one partition remembers to have told. */
  hashPairsMax: 5_000,
  /** Tokens of one partition whose first call is remembered to have been told to the ledger. */
  credentialTokensMax: 20_000,
  /** Nodes of Vault that one partition tells of in one hour. */
  nodesSeenMax: 1_000,
  /** How far behind the watermark an hour's counts are kept in memory. */
  coverageMemorySeconds: 172_800,
  /** Counts of devices and hours that one partition keeps in memory. */
  coverageRowsMax: 2_000,
  /** Ids of emitted calls remembered by one partition. */
  emittedMax: 500_000,
  /** How long a half that went out alone waits for its other half, in event time. Vault gives a request 90 s. */
  halfMemorySeconds: 300,
  /** Clocks of inputs and their nodes. */
  clocksMax: 1_000,
  /** A line from further in the future than this moves the device's time no further than to now. */
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
  /** Calls of one partition that wait for the watermark to be shown to behaviours; past it a new one is left out and counted. */
  waitingObservationsMax: 100_000,
  /** Groups of one rule that are counted at a time; past it the oldest is dropped and counted. */
  ruleGroupsMax: 100_000,
  /** Matches kept of one group's window; what is older is only added up, in buckets of its time. */
  windowEventsMax: 1_000,
  /** Buckets of a window for what it cannot keep: the oldest leaves as a whole, so counts may reach back this part further. */
  windowBuckets: 16,
  /** Distinct values of one group that are counted exactly; more are estimated (HyperLogLog). */
  distinctExactMax: 1_000,
  /** Matches held by all counters of one detector together, about 1 KB each; past it the rule that holds most gives way. */
  countedMatchesMax: 250_000,
  /** Ids of events that the alert of an inner correlation brings along. */
  innerEventIdsMax: 10,
  /** `evidence.event_ids` of one alert. */
  alertEventIdsMax: 50,
  /** Identities that an alert names. */
  alertIdentitiesMax: 3,
  /** Values that one partition's behaviours keep at hand; the rest is on disk. */
  behaviourRecentMax: 50_000,
  /** Subjects (identities, groups) of one space of one partition's behaviours; past it those untouched longest go. */
  behaviourSubjectsMax: 200_000,
  /** Of these, how many go at a time. */
  behaviourEvictedAtOnce: 1_000,
  /** What a behaviour has not touched for two to three of these stretches is forgotten. */
  behaviourPeriodDays: 90,
  /** Tokens of one identity of which behaviours remember where they were used, or how often, those used last. */
  behaviourTokensMax: 64,
  /** Networks of one identity or role, those used last. */
  behaviourNetworksMax: 32,
  /** Secret-ids that one identity logged in with, and makers of secret-ids: those seen last. */
  behaviourSecretIdsMax: 64,
  /** Identities of one group of peers, those seen last. */
  behaviourPeersMax: 200,
  /** Areas (a mount and its first folder) of one identity, those used last. */
  behaviourAreasMax: 1_000,
  /** Distinct secrets of one identity that are counted in a day. */
  behaviourDaySecretsMax: 640,
  /** How long a call by sealwatch's own identity waits for its token to be told as sealwatch's: an answer may take `vaultCallMs`. */
  ownTokenSeconds: 30,
  /** Newest calls of one partition by others that are looked at again when a token turns out to be sealwatch's. */
  ownRecentCallsMax: 1_000,
  /** Alerts on lost lines of one place that may grow: the last ones of each device and reason. */
  lostAlertsMax: 1_000,
  /** Tokens of sealwatch that are remembered, and entities: a login each few hours, over months. */
  ownTokensMax: 1_000,
  /** A question of the directory that nobody answered is asked again at the next occasion after this, in event time; then doubled. */
  directoryRetrySeconds: 600,
  /** The same for one that Vault refused to answer; and the longest that an unanswered one rests. */
  directoryRefusedSeconds: 86_400,
  /** Facts of one kind, and questions, that the directory holds on disk; the one that came first is forgotten and learned anew. */
  directoryFactsMax: 2_000_000,
  /** Namespaces of which the directory remembers that something unnamed in them changed. */
  directoryNamespacesMax: 10_000,
  /** How long a list of mounts is good for when no call is seen that changes one. */
  directoryRefreshSeconds: 86_400,
  /** Facts under one path that are looked at when it goes away, and mounts of one namespace. */
  directoryListMax: 10_000,
  /** Members of one group that are kept. */
  groupMembersMax: 10_000,
  /** Entities that one change of a group leads to ask about. */
  groupChangesAskedMax: 50,
  /** Aliases kept of one entity. */
  entityAliasesMax: 100,
  /** Members kept of an entity's or group's metadata. */
  metadataKeysMax: 100,
  /** Text of a policy that is kept and read; of a longer one no text. */
  policyCharsMax: 64 * KiB,
  /** Alerts of one incident that are told in it, the worst ones; all of them are counted. */
  incidentAlertsMax: 1_000,
  /** Alerts in the time line of one incident. */
  incidentTimelineMax: 100,
  /** Techniques, addresses and secrets that one incident names, of each. */
  incidentTextsMax: 50,
  /** An incident whose first alert comes so soon after the last one of the day before goes on with it. */
  incidentGapSeconds: 21_600,
  /** Incidents of other ids that one incident is joined with. */
  incidentRelatedMax: 20,
  /** Characters of a person's note on an alert. */
  triageNoteCharsMax: 2_000,
  /** What was said of one alert that its answer shows, the latest. */
  triageHistoryMax: 100,
  /** How long the stream has to take what a person did; and how long the API then waits until the store shows it. */
  recordMs: 10_000,
  recordShownMs: 2_000,
  /** Characters of a search. */
  matchCharsMax: 8_192,
  /** Rows that one call of a search looks at; its cursor goes on behind them. */
  searchRowsMax: 20_000,
  /** Of these, rows that are read at a time: others have their turn in between. */
  searchPageRows: 500,
  /** Time after which one call of a search looks at no further row: regular expressions are slow on texts made for it. */
  searchMs: 2_000,
  /** Tests in one search, each `1 of` and `all of` written out: a row that is asked all of them holds nobody up. */
  searchTestsMax: 1_000,
  /** Time after which a search lets other calls have their turn. */
  searchTurnMs: 50,
  /** Regular expressions in one search. */
  searchRegexesMax: 10,
  /** Rule file size. */
  ruleBytesMax: 64 * KiB,
  /** Events that a backtest reads at a time; identities that it counts per rule, and how many of them it shows. */
  backtestPage: 1_000,
  backtestSubjectsMax: 10_000,
  backtestSubjectsShown: 5,
  /** Largest lists file: allow-list, maintenance, classes. */
  listsBytesMax: 1 * MiB,
  /** Ways from a correlation down to the rules on events below it: each match goes up all of them. */
  correlationWaysMax: 1_000,
  /** Values that one field of a rule may stand for, after placeholders, offsets and dashes; selections that `1 of` and `all of` do. */
  selectionValuesMax: 10_000,
  /** Characters of a value that a regular expression of a rule sees. */
  regexCharsMax: 4096,
  /** Cells of 4 bytes in one table of the texts that rules need (64 MiB); rules beyond it are asked at each event. */
  ruleTextCellsMax: 2 ** 24,
  /** Alerts whose delivery is remembered, so that none goes out twice. */
  deliveredMemory: 10_000,
  /** Rows of facts about policies, groups, roles and entities that one question about access reads. */
  accessFactsMax: 200_000,
  /** Identities and roles that one answer about access names, over all its paths. */
  accessRowsMax: 10_000,
  /** Secrets whose readers one evidence answer works out. */
  accessSecretsMax: 1_000,
  /** Ids that stand as examples beside what could not be evaluated. */
  accessExamplesMax: 10,
  /** Rows of one list answer. */
  pageRowsMax: 1000,
  /** Rows of one evidence population; past it the answer says that it is not complete. */
  evidenceRowsMax: 100_000,
  /** Distinct values of another field (addresses, names) that one group shows. */
  collectedValuesMax: 20,
  /** Hashes whose meaning the ledger remembers, and tokens, accessors and devices' other names: of each, those learnt last. */
  readingNamesMax: 2_000_000,
  /** Audit devices whose salts are counted: whoever may enable devices can name any. */
  readingSaltsMax: 1_000,
  /** Mounts with leases that `sys/remount` may mean. */
  readingMountsMax: 200,
  /** Hashes that nothing explains yet, and operations on one of them. */
  readingWaitingMax: 100_000,
  readingWaitingPerHashMax: 16,
  /** An operation on a hash that is explained later than this counts no more: 32 days, Vault's own greatest lifetime. */
  readingWaitingSeconds: 2_764_800,
  /** Leases or accessors that are asked for because of one hash: of the caller, and as many of anybody. */
  readingCandidatesMax: 16,
  /** Newest ones among which those are sought whose hash is not known yet. */
  readingCandidateRowsMax: 500,
  /** So many rows are looked through again for one caller after this, in event time: whoever sends nonsense must not keep the ledger busy. */
  readingCandidateRowsSeconds: 1,
  /** Callers of which that is remembered. */
  readingCandidateCallersMax: 1_000,
  /** Questions that wait for their answer, and how long none is asked again, in event time. */
  readingQuestionsMax: 100_000,
  readingQuestionSeconds: 600,
  /** How often the words of the dictionary that no answer has come for are asked again, in event time. */
  readingWordsSeconds: 86_400,
  /** Roles and mounts whose lifetimes, changes and writes the ledger remembers. */
  readingRolesMax: 100_000,
  /** Leases of one role that wait for its lifetime. */
  readingRoleLeasesMax: 100,
  /** Wrapped answers that may still be opened. */
  readingWrapsMax: 200_000,
  /** Calls that may turn out to be sealwatch's own, and answers whose call is still to come. */
  readingOwnMax: 50_000,
  /** Hashes of one token or accessor that an answer follows: one per device and salt. */
  sameHashesMax: 100,
  /** Nodes of Vault that one coverage answer lists: whoever can write lines can name any. */
  coverageNodesMax: 1_000,
  /** Rows of facts of one kind (mounts, roles, groups) that one answer reads. */
  factsMax: 50_000,
  /** Facts of one entity among which the names of a page of rows are sought. */
  entityFactsMax: 100,
  /** Tokens of one chain, from a credential up to its login. */
  tokenChainMax: 50,
  /** Tokens made by tokens, living in one period, that posture looks at. */
  postureTokensMax: 100_000,
  /** Tokens without a name in the ledger whose calls posture asks for one. */
  postureNamesMax: 10_000,
  /** Secrets that one call of the inventory looks at. */
  inventoryScanMax: 20_000,
  /** Tokens and leases of one identity that live at a time. */
  heldRowsMax: 10_000,
  /** Leases that are held against the name of a database user. */
  userNameLeasesMax: 10_000,
  /** Line and headers of a request: a search of `matchCharsMax` characters, each written as `%XX`, has room. */
  apiHeaderBytesMax: 40 * KiB,
  /** Body of one API request: what a person says of an alert. */
  apiBodyBytesMax: 64 * KiB,
  /** Time an API client has to send its request. */
  apiRequestMs: 15_000,
  /** Characters of an id in a path: lease ids hold whole paths. */
  apiParamCharsMax: 1024,
  /** Calls, answers and hash pairs that wait for their turn in the ledger. Past it the first is worked early. */
  ledgerWaitingMax: 50_000,
  /** Characters of these. */
  ledgerWaitingCharsMax: 256 * MiB,
  /** Audit devices that recorded answers name. */
  auditPathsMax: 1_000,
  /** How far the ledger stays behind the watermark. */
  ledgerSlackSeconds: 1,
  /** Tokens that the ledger knows to have seen in use. */
  ledgerTokensMax: 1_000_000,
  /** How often the ledger's open rows are counted. */
  ledgerCountMs: 60_000,
  /** Questions without an answer that are asked again after a restart; the oldest give way. */
  ledgerQuestionsMax: 2_000,
  /** Pages of its file that the ledger's memory keeps. */
  ledgerPageCacheBytes: 64 * MiB,
  /** Pages that a replay keeps of the recorded answers, and of the leases it has found. */
  answersPageCacheBytes: 16 * MiB,
  /** Rows of the ledger, and small values of each kind, that are kept at hand, those used last. */
  ledgerRecentMax: 5_000,
  /** Changes of rows, and of small values, that wait to be written to the ledger's file. */
  ledgerUnwrittenMax: 5_000,
  /** How long after an end a sign of life does not refute it: revoking takes a while, and a look-up has another clock. */
  endDoubtSeconds: 60,
  /** What Vault lets a token live at most when nobody sets it (768 h): who is renewed beyond it is periodic. */
  systemMaxTtlSeconds: 2_764_800,
  /** Longest lifetime that is believed; Vault itself counts no further than 292 years. */
  ttlSecondsMax: 9_000_000_000,
  /** Terms kept of one lease or token: the first, and the newest. */
  leaseTermsMax: 50,
  /** Ends kept of one lease or token, the first ones: one that is refuted makes place for the next. */
  leaseEndsMax: 4,
  /**
   * How long a row that ended is remembered for what is told of it late: hours of event time in which something was told, so that
   * a gap between two logs forgets nothing.
   */
  endedMemoryHours: 168,
  /** Rows that are read at a time when an end crosses many. */
  cascadeRowsMax: 500,
  /** Tokens whose end still has to cross their rows that are kept in memory; more wait in the ledger's memory. */
  cascadeTokensMax: 10_000,
  /** Pages of its file that each detector's memory keeps. */
  detectorPageCacheBytes: 8 * MiB,
  /** Places in its input, one a commit, that a detector remembers to begin again from when much waits for long. */
  detectorCheckpointsMax: 100,
  /** Time between two snapshots of a stage. */
  snapshotMs: 2_000,
  ...vaultLimits,
  ...scaleLimits,
} as const;
