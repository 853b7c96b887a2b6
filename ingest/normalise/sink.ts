// What the normaliser makes, and where it goes.

import type { AuditEvent } from '../../core/event.ts';
import type { CoverageRow, HashPair, NodeSeen, Reject } from '../../core/records.ts';

/** Where the normaliser puts what it makes; the caller knows topics and partitions. */
export interface NormaliserSink {
  event(event: AuditEvent, text: string): void;
  reject(reject: Reject): void;
  coverage(row: CoverageRow): void;
  hashes(pair: HashPair): void;
  node(seen: NodeSeen): void;
  /** Nothing older than `time` will come that is not late. */
  watermark(time: string): void;
}
