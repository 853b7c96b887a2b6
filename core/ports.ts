// The ports: what a stage may ask of the world. Adapters live in storage/; test/contract/ holds one suite per port.

import type { Alert } from './alert.ts';
import type { Origin } from './devices.ts';
import type { Fact } from './directory.ts';
import type { AuditEvent, Json, JsonObject } from './event.ts';
import type { Lease } from './lease.ts';
import type { Clause, Field, Group, Page, Query, QueryKind, Rows } from './query.ts';
import type {
  Baseline,
  Change,
  CoverageCounter,
  CoverageRow,
  HashPair,
  Kind,
  NodeSeen,
  Question,
  Reject,
  Topic,
  Triage,
} from './records.ts';

/** Why a record exists: the input record, and which of its outputs this is. */
export interface Cause {
  partition: number;
  offset: number;
  index: number;
  /** Id of the spool that `partition` and `offset` are of; absent: they are of the stream itself. */
  spool?: string;
}

/** A record to append. `line` records carry `bytes`, all others a `value` that is written as JSON. */
export interface NewRecord {
  kind: Kind;
  cause?: Cause;
  /** What stands before `bytes` in the payload: two parts save a copy of every line. */
  head?: Buffer;
  bytes?: Buffer;
  value?: unknown;
  /** Canonical JSON of `value`, when the producer already has it. */
  text?: string;
}

export interface StreamRecord {
  kind: Kind;
  offset: number;
  cause: Cause | undefined;
  /** The payload of `line` records, valid until the next read. */
  bytes: Buffer;
  /** The decoded payload of all other kinds. Never change it: the next stage sees the same object. */
  value: unknown;
  /** The JSON text of `value`. */
  text: string;
}

/** A place in the stream. */
export interface Place {
  topic: Topic;
  partition: number;
  offset: number;
}

/** Partitioned, durable, ordered records. What `read` shows is durable; offsets count up by one within a partition. */
export interface Stream extends AsyncDisposable {
  readonly partitions: number;
  append(topic: Topic, partition: number, records: readonly NewRecord[]): void;
  /**
   * Resolves when everything appended so far is durable and readable. Rejects when it cannot be now: it stays, and the next
   * `flush` tries again. It may then be on the stream twice, with the same causes.
   */
  flush(): Promise<void>;
  /** What anybody has written until now is seen by `start`, `end` and `read` when it resolves. For whoever begins. */
  sync(): Promise<void>;
  /**
   * Records from `offset` on, at least one if there is one, about `bytesMax` in all. What cannot be read any more is one `loss`
   * with the reason `unreadable`, at the offset of the last lost record, on whatever topic. Behind the end there is nothing; a stream
   * that others write too rejects there with KAFKA_TOPICS_WRONG, when nobody has written so far.
   */
  read(topic: Topic, partition: number, offset: number, bytesMax: number): Promise<StreamRecord[]>;
  /** Calls back when `read` may find more than before; without it, whoever waits looks now and then. */
  onRecords?(listener: () => void): void;
  /** The offset that the next record will get. */
  end(topic: Topic, partition: number): number;
  /** The oldest offset that retention has left. */
  start(topic: Topic, partition: number): number;
  /** Snapshot of a consumer group's member: its state and how far it has read, replaced as a whole. */
  saveSnapshot(group: string, member: string, snapshot: Snapshot): Promise<void>;
  loadSnapshot(group: string, member: string): Promise<Snapshot | undefined>;
  /** `reader` no longer needs what lies before these offsets. Lasts as long as the readers do; asked for with `needed`. */
  commit(reader: string, places: readonly Place[]): Promise<void>;
  /** The lowest offset that any of `readers` still needs; 0 when one of them has not told. */
  needed(topic: Topic, partition: number, readers: readonly string[]): Promise<number>;
  /** Deletes records that are older than `beforeMs` (wall time of their write) and before `keepOffset`: all of them or fewer. */
  retain(topic: Topic, partition: number, beforeMs: number, keepOffset: number): Promise<number>;
}

/**
 * Which partitions this process works on, where several share the work. It changes as processes come and go; between two
 * assignments nobody works.
 */
export interface Membership extends AsyncDisposable {
  /** Nobody else ever has any of the partitions. */
  readonly isAlone?: true;
  /** Undefined while it is being decided, and from the moment that it may be another's. */
  readonly current: Assignment | undefined;
  /** Calls back at each change of `current`. */
  onChange(listener: () => void): void;
}

export interface Assignment {
  /** Another object is another assignment: what was loaded for the one before is dropped, though the partitions be the same. */
  readonly partitions: readonly number[];
}

export interface Snapshot {
  /** Next offset to read per input partition. */
  inputs: Record<number, number>;
  /**
   * How far partitions reached at least when the snapshot was taken, `topic/partition` to offset: its outputs' ends, and where
   * it reads on. The stream never gives out an offset below it again, whatever a disk loses.
   */
  outputs: Record<string, number>;
  state: unknown;
}

/** How far the indexer has read one partition. */
export interface IndexOffset {
  topic: Topic;
  partition: number;
  next: number;
  /** On partitions of events: the highest watermark seen so far of each raw partition. */
  sources?: Record<number, string>;
}

/**
 * What the indexer hands over at once: rows, and the offsets that they came from, which last no earlier than the rows. With it
 * the store makes the incidents of these alerts anew (`core/incident.ts`), from all alerts of each, or the worst
 * `limits.incidentAlertsMax` of more.
 */
export interface EvidenceBatch {
  events: { event: AuditEvent; text: string }[];
  leases: { revision: number; body: Lease }[];
  alerts: { revision: number; body: Alert }[];
  rejects: Reject[];
  coverage: CoverageRow[];
  hashes: HashPair[];
  nodes: NodeSeen[];
  facts: Fact[];
  triage: Triage[];
  changes: Change[];
  baselines: Baseline[];
  offsets: IndexOffset[];
}

export interface EvidenceWriter extends AsyncDisposable {
  /** Where to go on reading; empty at the first start. */
  offsets(): Promise<IndexOffset[]>;
  /** Idempotent by id and revision: the highest revision stays. */
  write(batch: EvidenceBatch): Promise<void>;
  /** Deletes bodies of events of whole UTC days before `before` (event time); returns how many. */
  retain(before: string): Promise<number>;
}

/** What Vault answers to the ledger's questions: Vault itself, or a file of recorded answers. Never throws. */
export interface VaultAnswers {
  /** Takes the question; the answer comes back as a record of the stream, or not at all. */
  ask(question: Question): void;
}

/** A row of the ledger: the lease as it is told, how often it was told, and what only the ledger needs. */
export interface Held {
  lease: Lease;
  revision: number;
  /** Anything the ledger keeps beside it, as JSON. */
  notes: JsonObject;
}

/** Small values by space and key, lasting at a commit. What it gives is frozen. */
export interface Memory {
  /** `undefined` when absent. */
  get(space: string, key: string): Json | undefined;
  set(space: string, key: string, value: Json): void;
  delete(space: string, key: string): void;
  /** Values of a space whose key begins with `prefix`, by key, at most `limit`. */
  list(space: string, prefix: string, limit: number): { key: string; value: Json }[];
}

/** The memory of one partition's detector: what it has learned, in one transaction with its place and windows. */
export interface DetectorMemory extends Memory, Disposable {
  /**
   * Everything since the last commit becomes lasting, together with `place`. Rejects when the disk refuses, or when another has
   * taken it over: whoever holds it begins anew.
   */
  commit(place: Json): Promise<void>;
  /** What the last commit gave. */
  place(): Json | undefined;
}

/** Takes what people do (triage, changes of lists) onto the stream; resolves when it is durable. */
export interface Recorder {
  record(kind: 'change' | 'triage', value: JsonObject): Promise<void>;
}

/**
 * The ledger's memory: on disk, its hot part cached, all of it in one transaction with the place in the stream that it stands for.
 * "Open" rows are those without `ended_at`. Iterables are read to their end before anything is put.
 */
export interface LedgerMemory extends DetectorMemory {
  held(id: string): Held | undefined;
  put(held: Held): void;
  /** The row goes away: nothing that is told later changes it any more. */
  forget(id: string): void;
  /**
   * Rows whose `holder_token` is this token (its leases, and the tokens that it made) and that had not ended before `at`: by id,
   * those after the id `after`, at most `limit`.
   */
  aliveOf(token: string, at: string, after: string, limit: number): Held[];
  /** As `aliveOf`, of a namespace: leases whose id, and tokens whose `path` with a slash behind it, begins with `prefix`. */
  aliveUnder(namespace: string, prefix: string, at: string, after: string, limit: number): Held[];
  /** Open rows whose `expires_at` is at or before `time`, the first to expire first, at most `limit`. */
  expired(time: string, limit: number): Held[];
  /** Rows that ended at or before `time`, the first to end first, at most `limit`. */
  ended(time: string, limit: number): Held[];
  /** Newest first, at most `limit`: open leases of a holder's id; of anybody when it is undefined. */
  newestOpen(holderId: string | undefined, limit: number): Held[];
}

export interface CoverageHour {
  device: string;
  hour: string | undefined;
  partition: number;
  origin: Origin;
  counts: Record<CoverageCounter, number>;
}

export interface EvidenceReader extends AsyncDisposable {
  find<K extends QueryKind>(query: Query<K>): Promise<Page<K>>;
  get<K extends QueryKind>(kind: K, id: string): Promise<Page<K>['items'][number] | undefined>;
  /** In one question: the rows of those of `ids` that are there, by their ids. At most `limits.pageRowsMax` ids. */
  getAll<K extends QueryKind>(kind: K, ids: readonly string[]): Promise<Map<string, Rows[K]>>;
  /** Exact groups over rows of a kind (events when it is not given), ordered by the values of `by`. */
  group<K extends QueryKind = 'events'>(options: {
    kind?: K;
    from?: string;
    to?: string;
    where: Clause<K>[];
    by: Field<K>[];
    collect: Field<K>[];
    limit: number;
  }): Promise<{ groups: Group[]; complete: boolean }>;
  count(kind: QueryKind, options: { from?: string; to?: string; where: Clause[] }): Promise<number>;
  /** Counts per device, hour and partition, in this order. */
  coverage(from: string, to: string): Promise<CoverageHour[]>;
  /** Nodes seen in the hours of the period, by name. */
  nodes(from: string, to: string): Promise<NodeSeen[]>;
  /** `hash` and every other hash that was seen for the same token or accessor, on whatever device. */
  sameHashes(hash: string): Promise<string[]>;
  /** First and last event time held, and how far event time has come: `lowestWatermark` of the offsets. */
  extent(): Promise<{ first?: string; last?: string; watermark?: string }>;
}
