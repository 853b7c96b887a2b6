// What is told late gives the same rows, in whatever order it comes; and no lease outlives the token that holds it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import { addSeconds } from '../../../../core/time.ts';
import type { Change } from '../../../../ingest/ledger/change.ts';
import {
  ended,
  gone,
  irrevocable,
  lease,
  life,
  lifetime,
  renewed,
  revoked,
  Told,
  token,
  tokenRevoked,
  used,
} from './told.ts';

/** Tokens in a chain, and two leases of each. */
const tokens = ['token:a', 'token:b', 'token:c'];
const leases = tokens.flatMap((id) => [
  `database/creds/app/${id.slice(6)}1`,
  `database/creds/app/${id.slice(6)}2`,
]);

const clock = fc.integer({ min: 1, max: 179 }).map((minute) => {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(10 + Math.floor(minute / 60))}:${two(minute % 60)}`;
});
const ttl = fc.constantFrom(300, 900, 3600, 7200);
const anyId = fc.constantFrom(...tokens, ...leases);

const issues = fc.tuple(ttl, ttl).map(([ofToken, ofLease]): Change[] => [
  ...tokens.map((id, n) =>
    token('10:00', {
      id,
      life: life(ofToken, { source: 'audit' }),
      token: {},
      ...(n === 0 ? {} : { holder_token: tokens[n - 1] as string }),
    }),
  ),
  ...leases.map((id, n) =>
    lease('10:00', { id, life: life(ofLease), holder_token: tokens[Math.floor(n / 2)] as string }),
  ),
]);

type Source = Extract<Change, { change: 'lifetime' }>['life']['source'];
const said = (sources: Source[]) =>
  fc
    .record({ clock, id: anyId, ttl, source: fc.constantFrom(...sources) })
    .map(({ clock: at, id, source, ttl: seconds }) =>
      lifetime(at, life(seconds, { source, proof: `${source}-${at}-${id}-${seconds}` }), id),
    );
const single: fc.Arbitrary<Change>[] = [
  fc.tuple(clock, anyId).map(([at, id]) => gone(at, id)),
  fc.tuple(clock, fc.constantFrom(...leases)).map(([at, id]) => revoked(at, id)),
  fc.tuple(clock, fc.constantFrom(...tokens)).map(([at, id]) => tokenRevoked(at, id)),
  fc.tuple(clock, fc.constantFrom(...tokens)).map(([at, id]) => used(at, 0, id)),
];
const lookups = fc.oneof(said(['own_lookup', 'audit_lookup', 'hmac_join']), ...single);
const underPrefix = fc
  .tuple(clock, fc.constantFrom('database/', 'database/creds/app/a1', 'auth/approle'))
  .map(([at, prefix]) => ended(at, { prefix }, 'revoke_prefix'));
/** A prefix ends what had not ended when it was told: where nothing refutes an end, that hangs on no order. */
const prefixes = fc.oneof(said(['role_config', 'dictionary']), underPrefix, ...single.slice(0, 3));

/** Ids of proofs apart, as those of events are. */
const apart = (changes: Change[]): Change[] => changes.map((change, n) => ({ ...change, proof: `p${n}` }));

const lastOf = (changes: Change[]) =>
  new Told()
    .live(...changes)
    .until('14:00')
    .all();

describe('rows', () => {
  it('are the same whatever order it was told in, before or after time passed', () => {
    const cases = issues.chain((begin) =>
      fc.oneof(fc.array(lookups, { maxLength: 5 }), fc.array(prefixes, { maxLength: 5 })).chain((changes) => {
        const late = apart(changes);
        return fc.record({
          begin: fc.constant(begin),
          late: fc.constant(late),
          shuffled: fc.shuffledSubarray(late, { minLength: late.length, maxLength: late.length }),
          passed: fc.boolean(),
        });
      }),
    );
    fc.assert(
      fc.property(cases, ({ begin, late, shuffled, passed }) => {
        const inOrder = [...late].sort((a, b) => (a.at < b.at ? -1 : 1));
        const first = new Told().live(...begin);
        if (passed) first.until('13:30');
        expect(
          first
            .tell(...shuffled)
            .until('14:00')
            .all(),
        ).toEqual(lastOf([...begin, ...inOrder]));
      }),
      { numRuns: 100 },
    );
  });

  it('of a token end no later than it does, but for what a look-up found after that', () => {
    const more = fc.oneof(
      { weight: 4, arbitrary: lookups },
      { weight: 2, arbitrary: prefixes },
      fc.tuple(clock, anyId).map(([at, id]) => renewed(at, undefined, id)),
      fc.tuple(clock, fc.constantFrom(...leases)).map(([at, id]) => irrevocable(at, id)),
      fc.tuple(clock, fc.constantFrom(...tokens)).map(([at, id]) => tokenRevoked(at, id, true)),
    );
    fc.assert(
      fc.property(issues, fc.array(more, { maxLength: 8 }), (begin, changes) => {
        const world = new Told().live(...begin, ...apart(changes)).until('14:00');
        for (const row of world.all()) {
          const holder = row.holder_token === undefined ? undefined : world.row(row.holder_token);
          const notes = world.memory.held(row.id)?.notes ?? {};
          if (holder?.ended_at === undefined || notes['irrevocable'] !== undefined) continue;
          const isRefuted =
            String(notes['alive'] ?? '') > addSeconds(holder.ended_at, limits.endDoubtSeconds);
          if (!isRefuted)
            expect(row.ended_at !== undefined && row.ended_at <= holder.ended_at, row.id).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
