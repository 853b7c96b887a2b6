// What travels on the stream beside events, leases and alerts: ticks, losses, answers, rejects, coverage, hash pairs.

import type { Origin } from './devices.ts';
import type { AuditEvent, JsonObject } from './event.ts';
import { addNanos } from './time.ts';

/** Topics of design section 3. */
export const topics = {
  raw: 'vault.audit.raw',
  events: 'vault.audit.events',
  leases: 'vault.audit.leases',
  alerts: 'vault.audit.alerts',
  coverage: 'vault.audit.coverage',
  credentials: 'vault.audit.credentials',
  /** What rules and behaviours count across callers, keyed by rule and group. */
  groups: 'vault.audit.groups',
  /** What people did to sealwatch: changes of rules and lists, triage of alerts; partition 0 alone. */
  changes: 'vault.audit.changes',
} as const;
export type Topic = (typeof topics)[keyof typeof topics];

/** What the ledger reads and what it tells stands on this one partition: one owner sees every credential. */
export const LEDGER_PARTITION = 0;

/** The parts that a process may run; `run` runs all of them. */
export const stageNames = ['collect', 'normalise', 'ledger', 'detect', 'index', 'deliver', 'serve'] as const;
export type StageName = (typeof stageNames)[number];

/** One byte of each record on disk; never renumber. */
export const kinds = {
  line: 1,
  answer: 2,
  tick: 3,
  loss: 4,
  event: 5,
  lease: 6,
  alert: 7,
  reject: 8,
  coverage: 9,
  watermark: 10,
  hashes: 11,
  node: 12,
  credential: 13,
  fact: 14,
  own: 15,
  crossing: 16,
  change: 17,
  triage: 18,
  baseline: 19,
} as const;
export type Kind = keyof typeof kinds;

/** Each second, on every partition of raw: how far each live input has come in event time. Keys are `inputId`s. */
export interface Tick {
  devices: Record<string, string>;
  /** How far each file input is durable, so that a restart finds its place even when the file was idle for long. */
  files?: Record<string, FilePlace>;
  /** Bytes that each input has put on the spool since its first start. */
  spooled?: Record<string, number>;
  /** Lines since the last tick from further in the future than `limits.futureSeconds`; on partition 0 alone. */
  future?: Record<string, number>;
  /** Wall time in ms at which it was made. */
  at?: number;
  /** A file has lines that are not read yet. */
  behind?: true;
  /** Wall time in ms at which it was drained onto Kafka. */
  sent?: number;
}

export interface FilePlace {
  inode: number;
  /** Counts up each time the input's file is another one or begins anew. */
  generation: number;
  /** Every line before this byte is in the spool. */
  durable: number;
  /** CRC-32 of the `limits.fileMarkBytes` before `durable`: an inode number is used again, a file is truncated. */
  mark: number;
  /** When the file was last written, as far as has been seen, in ms: files that were written later are not read yet. */
  writtenMs: number;
}

/** What became of lines or connections that the collector could not keep as they should be. */
export const lossReasons = [
  /** Longer than `limits.lineBytesMax`, or given up because unfinished lines took too much memory. */
  'line_too_long',
  /** A connection ended inside a line: Vault writes the whole line again on its next one (vault-audit.md 3). */
  'truncated',
  /** The spool could not take it. */
  'dropped',
  /** Its input had used up its part of the spool. */
  'quota',
  /** A file went away before it was read to its end. */
  'unread',
  /** Answered to the HTTP device before it was durable. */
  'unconfirmed',
  /** A connection from an address that may not send, or one too many. */
  'refused',
  /** It was on the stream, and the disk does not give it back. */
  'unreadable',
] as const;
export type LossReason = (typeof lossReasons)[number];

/** Stands for the device where it went with what is unreadable; no device can have this name. */
export const UNKNOWN_DEVICE = '(unknown)';

export interface Loss {
  bytes: number;
  count: number;
  device: string;
  reason: LossReason;
}

/** What sealwatch asked Vault and what it answered; what is secret in it is left out. */
export interface Answer {
  at: string;
  method: string;
  path: string;
  body?: JsonObject;
  /** Namespace that was asked, with its closing slash; absent for the root. */
  namespace?: string;
  /** 0 when Vault did not answer. */
  status: number;
  response?: JsonObject;
  /**
   * Why it was asked: `heartbeat` must be seen on every device under the answer's `request_id`; `login` began a token that this
   * process holds. Absent: the ledger's question.
   */
  purpose?: 'heartbeat' | 'login';
  /** Which process asked, where several have tokens of one login at a time. */
  holder?: string;
}

/** Stands in texts of answers for what looks like a token: such a text is not what Vault has. */
export const TOKEN_LEFT_OUT = '(a token, left out)';

/** What the ledger wants to know from Vault. Its answer comes as an `Answer` with the same method, path and body. */
export interface Question {
  /** Time of the event that raises it: an answer from before it does not answer it. */
  at: string;
  method: 'GET' | 'POST' | 'LIST';
  /** Without `/v1/`. */
  path: string;
  body?: JsonObject;
  /** Namespace with its closing slash; absent for the root. */
  namespace?: string;
  /** What a budget leaves out first stands last: see `questionNeeds`. */
  need: QuestionNeed;
}

/**
 * Why the ledger asks, most needed first: a lifetime that no line and no role tells; what a name, mount, role or policy is; which
 * lease a hash stands for; whether what should be over is over; how true what was concluded is.
 */
export const questionNeeds = ['lifetime', 'directory', 'hash', 'end', 'sample'] as const;
export type QuestionNeed = (typeof questionNeeds)[number];

/** An event that the ledger works on, with the hashes of its line that no event holds. Never a token in plain. */
export interface CredentialCall {
  event: AuditEvent;
  handles?: Handles;
  /** It says nothing of credentials but that its token was there: the first call of the token that a partition has seen. */
  onlyFirst?: true;
}

/** The token that makes the call, by whatever its lines show of it; undefined when nothing proves it to be one. */
export const tokenShown = ({ event: { vault }, handles }: CredentialCall): string | undefined =>
  vault.caller.kind === 'anonymous' ? undefined : (vault.caller.accessor ?? handles?.sent ?? handles?.inner);

/** When Vault had done the call, by the log. */
export const doneAt = ({ '@timestamp': time, event: { duration } }: AuditEvent): string =>
  duration === undefined ? time : addNanos(time, duration);

/** Hashes by which tokens are named beside their accessor (vault-audit.md 4, correlation table). */
export interface Handles {
  /** `auth.client_token`: the caller's token as it was sent; equals the login's `issued` and the `wrap` it was opened from. */
  sent?: string;
  /** `request.client_token`: the caller's inner token; equals `request.data.token` of revoke, renew and lookup. */
  inner?: string;
  /** `response.auth.client_token`. */
  issued?: string;
  /** `response.wrap_info.token`. */
  wrap?: string;
  /** `response.wrap_info.wrapped_accessor`. */
  wrapped_accessor?: string;
  /** `auth.remaining_uses`: uses that the caller's token had before this call. */
  uses_left?: number;
}

/** A token that this process holds, as the audit log shows it; what its identity does with any other is not sealwatch. */
export interface OwnToken {
  /** `own-` and a hash of the accessor. */
  id: string;
  cluster: string;
  accessor: string;
  entity_id?: string;
  /** See `Answer`: its next token takes the place of this one. */
  holder?: string;
  /** From when on; until its end. */
  at: string;
  proof: string;
}

/** Two devices showed the same token or accessor, each under its own salt (vault-audit.md 2). */
export interface HashPair {
  id: string;
  what: 'token' | 'accessor';
  /** Hash as the first-ranked device of the call shows it. */
  ranked: { device: string; hash: string };
  other: { device: string; hash: string };
  /** Event time of the call that showed it first. */
  at: string;
}

/** A node of Vault that wrote lines, or that a line says it was forwarded from, in one hour. */
export interface NodeSeen {
  /** `node`, `how` and hour, so that it is kept once. */
  id: string;
  node: string;
  cluster: string;
  how: 'collected' | 'forwarded_from';
  hour: string;
}

/** On every partition of events: raw partition `source` will bring nothing older that is not late. */
export interface Watermark {
  source: number;
  time: string;
}

/** Why a line that was read whole could not become an event. */
export const lineFaults = [
  'not_json',
  'not_object',
  'jsonx',
  'no_request',
  'bad_type',
  'bad_time',
  'internal',
  'line_too_long',
] as const;
export type LineFault = (typeof lineFaults)[number];

export type RejectReason = LineFault | LossReason;

/** A line that could not become an event. The line itself is not kept here. */
export interface Reject {
  '@timestamp'?: string;
  bytes: number;
  device: string;
  /** SHA-256 of the scrubbed line. */
  hash?: string;
  id: string;
  /** How many lines were lost, when the reason is a `LossReason`; 0 when nobody can tell. */
  lines?: number;
  reason: RejectReason;
}

export const coverageCounters = [
  'received',
  /** Calls whose both halves the device showed. */
  'paired',
  /** Halves that waited in vain for the other: the sum of the next two. */
  'unpaired',
  'no_response',
  'no_request',
  /** Halves that have no other by design (vault-audit.md 7.3). */
  'by_design',
  'duplicate',
  'late',
  /** Lines from the future, by the clock of sealwatch's host: that clock or Vault's is wrong (docs/decisions/0012). */
  'future',
  /** Lines that could not become an event; `rejected_...` say why. */
  'rejected',
  ...lineFaults.map((fault) => `rejected_${fault}` as const),
  /** Lines that something secret was taken out of: the sum of the next two. */
  'scrubbed',
  'log_raw',
  'token_in_plain',
  /** Lines that were read and could not be kept. */
  'dropped',
  'lost_at_close',
  'oversize',
  /** Files that went away before they were read to their end; nobody can count their lines. */
  'unread',
  'unconfirmed',
  'refused',
  /** Calls that another device showed and this one did not, and all of `dropped` and `unread`. */
  'gaps',
  /** Look-ups of sealwatch's own that came back on the device in time, and those that did not. */
  'heartbeat_seen',
  'heartbeat_missed',
  /** Look-ups that Vault did not answer: they say nothing about the device. */
  'heartbeat_unanswered',
] as const;
export type CoverageCounter = (typeof coverageCounters)[number];

/**
 * Counts of one device, hour and partition since raw offset `since`: absolute, so that the row may be written again. Rows of
 * one hour add up.
 */
export interface CoverageRow {
  /** Partition, device, hour and `since`. */
  id: string;
  device: string;
  /** Absent before event time is known. */
  hour?: string;
  partition: number;
  origin: Origin;
  /** Counts up; the highest is the last. */
  revision: number;
  counts: Partial<Record<CoverageCounter, number>>;
}

/** What is counted across callers: the rule or behaviour that counts it, the group that it is counted in, and what it needs of the call. */
export interface Crossing {
  rule: string;
  group: string;
  event: JsonObject;
}

/** A change of what sealwatch judges by. */
export interface Change {
  /** Hash of what, key, before, after and time. */
  id: string;
  /** Wall time at which it was seen. */
  at: string;
  what: 'rule' | 'allow' | 'maintenance' | 'threshold' | 'class' | 'placeholder' | 'setting';
  /** Id of the rule, or name of the entry. */
  key: string;
  /** API key's name, or the user of the operating system who owns the file; absent when nobody can tell. */
  who?: string;
  why?: string;
  /** Absent: it was not there. */
  before?: JsonObject;
  /** Absent: it is gone. */
  after?: JsonObject;
}

/** What a person says of an alert; appended, never changed, joined on read. */
export interface Triage {
  id: string;
  /** Wall time. */
  at: string;
  alert_id: string;
  /** Of the alert. */
  incident_id: string;
  /** Name of the API key. */
  by: string;
  status: 'acknowledged' | 'closed' | 'reopened';
  verdict?: 'true_positive' | 'false_positive' | 'benign' | 'undecided';
  note?: string;
}

/** What a behaviour has learned of an identity, in words and numbers; of one identity and behaviour the last one holds. */
export interface Baseline {
  /** Hash of behaviour and subject. */
  id: string;
  behaviour: string;
  /** `user.id`. */
  subject: string;
  /** Event time of the last call in it. */
  at: string;
  learning: boolean;
  /** A sentence with the numbers. */
  text: string;
  numbers: Record<string, number>;
}
