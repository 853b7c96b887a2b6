// What a call that goes out counts as, per device that showed it or should have.

import type { Coverage } from './coverage.ts';
import type { Copy, PendingCall, Unpaired } from './pairing.ts';

/** A half that waits for its other in vain; when the other comes after all, it is taken back. */
export function countUnpaired(coverage: Coverage, half: Unpaired | undefined, by: 1 | -1): void {
  if (half === undefined) return;
  coverage.countAll(half.devices, half.time, 'unpaired', by);
  coverage.countAll(half.devices, half.time, half.lacks, by);
}

/** A device that showed both halves has the pair; one of `expected` that lacks a half that another one showed has a gap. */
export function countPairs(
  coverage: Coverage,
  call: PendingCall,
  time: string,
  shown: readonly string[],
  expected: readonly string[],
): void {
  const has = (copies: Copy[], device: string) => copies.some((copy) => copy.device === device);
  for (const device of shown) {
    const whole = has(call.request, device) && has(call.response, device);
    coverage.count(device, time, whole ? 'paired' : 'gaps');
  }
  for (const device of expected) if (!shown.includes(device)) coverage.count(device, time, 'gaps');
}
