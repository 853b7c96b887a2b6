// What travels on the stream beside events, leases and alerts: ticks, losses, rejects, coverage.

/** Topics of design section 3. */
export const topics = {
  raw: 'vault.audit.raw',
  events: 'vault.audit.events',
  leases: 'vault.audit.leases',
  alerts: 'vault.audit.alerts',
  coverage: 'vault.audit.coverage',
} as const;
export type Topic = (typeof topics)[keyof typeof topics];

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
} as const;
export type Kind = keyof typeof kinds;

/** Each second, on every partition of raw: how far each live device has come in event time. */
export interface Tick {
  devices: Record<string, string>;
  /** How far each file device is durable, so that a restart finds its place even when the file was idle for long. */
  files?: Record<string, { inode: number; generation: number; durable: number }>;
}

/** What the collector could not keep. */
export interface Loss {
  bytes: number;
  count: number;
  device: string;
  reason: 'line_too_long' | 'truncated' | 'dropped';
}

/** On every partition of events: raw partition `source` will bring nothing older that is not late. */
export interface Watermark {
  source: number;
  time: string;
}

export const rejectReasons = [
  'not_json',
  'not_object',
  'jsonx',
  'too_deep',
  'no_request',
  'bad_type',
  'bad_time',
  'line_too_long',
  'truncated',
  'dropped',
  'internal',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** A line that could not become an event. The line itself is not kept here. */
export interface Reject {
  '@timestamp'?: string;
  bytes: number;
  device: string;
  /** SHA-256 of the scrubbed line. */
  hash?: string;
  id: string;
  reason: RejectReason;
}

export const coverageCounters = [
  'received',
  'paired',
  'unpaired',
  'duplicate',
  'late',
  'rejected',
  'dropped',
  'scrubbed',
  'gaps',
] as const;
export type CoverageCounter = (typeof coverageCounters)[number];

/** What to add to the counters of one device and hour. `hour` is absent for a line without a usable time. */
export interface CoverageDelta {
  counts: Partial<Record<CoverageCounter, number>>;
  device: string;
  hour?: string;
}
