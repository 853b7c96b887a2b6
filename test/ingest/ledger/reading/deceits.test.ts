// Calls that name another credential beside the one that Vault takes: nobody may end, lengthen or hide a credential with them.

import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../../core/records.ts';
import { addSeconds } from '../../../../core/time.ts';
import { fixtureLines } from '../../normalise/lines.ts';
import { callsOf, entriesOf, type Input, Rig } from './rig.ts';

interface Outcome {
  state: 'alive' | 'ended';
  /** A lease, or an accessor. */
  name: string;
  /** By device. */
  hashes: Record<string, string>;
}
const outcomes = fixtureLines('outcome', 'deceits').map((line) => JSON.parse(line) as Outcome);

/** What Vault says the hashes stand for, after everything else. */
function explained(calls: Input[], device: string): Input[] {
  const at = addSeconds(calls.at(-1)?.done ?? '', 1);
  return outcomes.map(({ name, hashes }): Input => {
    const answer: Answer = {
      at,
      method: 'POST',
      path: `sys/audit-hash/${device}`,
      body: { input: name },
      status: 200,
      response: { data: { hash: hashes[device] ?? '' } },
    };
    return { done: at, answer };
  });
}

describe.each(['file', 'plain'])(
  'calls that name a credential which Vault does not take (device %s)',
  (device) => {
    const calls = callsOf(entriesOf(device, 'deceits'));
    const rig = new Rig().play([...calls, ...explained(calls, device)]);
    const rowOf = ({ name, hashes }: Outcome) =>
      rig.leases.get(name) ?? rig.leases.get(`token:${device === 'file' ? hashes['file'] : name}`);

    it.each(outcomes.filter(({ state }) => state === 'alive'))(
      '$name lives, as long as it was given',
      (outcome) => {
        const row = rowOf(outcome);
        expect(row?.ended_at).toBeUndefined();
        expect(row?.expires_at).toBeDefined();
        const lifetime = row?.kind === 'token' ? 3600 : 600;
        expect(Math.abs((row?.ttl_s ?? 0) - lifetime)).toBeLessThan(2);
        const end = Date.parse(addSeconds(row?.terms.at(-1)?.at ?? '', lifetime));
        expect(Math.abs(Date.parse(row?.expires_at ?? '') - end)).toBeLessThan(2_000);
      },
    );

    // An empty id in the body is a hash like any other: whether it was one nobody asks, and the row stays open.
    it('of what Vault did end, the lease and the token that were meant have ended', () => {
      const ended = outcomes.filter(({ state }) => state === 'ended').map(rowOf);
      expect(ended.map((row) => row?.end_reason)).toEqual(['revoked', undefined, 'revoked']);
    });
  },
);
