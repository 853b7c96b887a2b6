// All partitions, always: nobody shares an embedded stream.

import type { Assignment, Membership } from '../../../core/ports.ts';

export function allPartitions(count: number): Membership {
  const current: Assignment = { partitions: Array.from({ length: count }, (_, partition) => partition) };
  return { current, onChange() {}, async [Symbol.asyncDispose]() {} };
}
