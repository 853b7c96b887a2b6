// The topics of memories: one for each, of one partition, compacted.

import { limits } from '../../core/limits.ts';
import type { TopicPlan } from '../stream/kafka/link.ts';

/** Each memory is a topic of its own: `ledger`, and those of detectors that all begin with `detect-`. */
export const MEMORY = 'vault.audit.memory.';

/** A memory by its name: `ledger`, or `detect-` and that of a detector. */
export const memoryTopic = (prefix: string, name: string): string => `${prefix}${MEMORY}${name}`;

const memoryConfig = {
  'cleanup.policy': 'compact',
  'max.message.bytes': String(limits.memoryMessageBytesMax),
  // Time for a successor to undo what somebody wrote who had lost the memory: then compaction may forget what was there before.
  'min.compaction.lag.ms': String(limits.memoryCompactionLagMs),
  // A segment ends by its size alone: the newest is never compacted, so what a crash left half done is undone even days later.
  'segment.ms': String(limits.memorySegmentMs),
  'segment.bytes': String(limits.memorySegmentBytes),
  'delete.retention.ms': String(limits.memoryTombstoneMs),
  'min.cleanable.dirty.ratio': '0.2',
};

/** Of all memories that a stream of so many partitions needs, named in full. */
export function memoryPlans(prefix: string, partitions: number): TopicPlan[] {
  const each = Array.from({ length: partitions }, (_, p) => [`detect-events-${p}`, `detect-groups-${p}`]);
  return ['ledger', 'detect-leases', ...each.flat()].map((name) => ({
    topic: memoryTopic(prefix, name),
    partitions: 1,
    config: memoryConfig,
  }));
}
