// The membership of a stage that shares its work with nobody.

import type { Membership } from '../../../core/ports.ts';

/** All of `count` partitions, from now on. */
export const wholeMembership = (count: number): Membership => ({
  isAlone: true,
  current: { partitions: Array.from({ length: count }, (_, partition) => partition) },
  onChange() {},
  async [Symbol.asyncDispose]() {},
});
