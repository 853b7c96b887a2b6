// The numbers of one group in one period, what each means, and adding them up.

import { z } from 'zod';
import { Lifetimes, spreadSchema } from '../leases/lifetimes.ts';
import type { PostureSettings } from './settings.ts';

const allowed = z
  .object({ s: z.int(), source: z.enum(['role', 'mount']), of: z.string() })
  .nullable()
  .meta({
    description:
      'the longest lifetime that Vault would allow in this group: the max_ttl of a role or that of its mount, the shorter where both are known and not 0; null when neither is known',
  });

const count = (description: string) => z.int().meta({ description });

export const numbersSchema = z.object({
  logins: z.record(z.string(), z.int()).meta({
    description: 'tokens that a login gave out in the period, by auth method',
  }),
  tokens_issued: count('all tokens given out in the period, by logins and by tokens'),
  static_tokens: count(
    'tokens that a token made (or whose origin is not known), no root tokens, that lived in the period and had passed the age of `posture.staticTokenDays` at its end, or at their own end before',
  ),
  root_tokens: count('root tokens that are known and lived in the period'),
  root_calls: count(
    'calls with a root token in the period; by=mount counts them at the mount that was called',
  ),
  orphan_tokens: count(
    'tokens that a token made without a parent (no end of another ends them), living in the period',
  ),
  periodic_tokens: count(
    'tokens with a period, told by a look-up or a role or known by their renewals, living in the period',
  ),
  kv_v1_reads: count('reads that gave out a secret of KV version 1'),
  kv_v1_secrets: count('distinct secrets of KV version 1 that were read'),
  kv_v2_reads: count('reads that gave out a secret of KV version 2'),
  lease_lifetimes: spreadSchema.meta({
    description: 'of leases given out in the period; `over` counts those longer than `policy.lease_s`',
  }),
  lease_allowed_max: allowed,
  token_lifetimes: spreadSchema.meta({
    description: 'of tokens given out in the period; `over` counts those longer than `policy.token_s`',
  }),
  token_allowed_max: allowed,
  secrets_read: count('distinct KV secrets that were read in the period'),
  overdue_rotations: count(
    'of these, not written for longer than `policy.rotation_s` at the end of the period; with no write seen, when the log itself goes back that far',
  ),
  rotations_unknown: count('of these, with no write seen, while the log does not go back that far'),
});
export type Numbers = z.infer<typeof numbersSchema>;

type Counter = { [K in keyof Numbers]: Numbers[K] extends number ? K : never }[keyof Numbers];
export type AllowedMax = NonNullable<Numbers['lease_allowed_max']>;

/** The numbers of one group, while they come together. */
export class Tally {
  private readonly counts = new Map<Counter, number>();
  private readonly logins = new Map<string, number>();
  private readonly lifetimes = { lease: new Lifetimes(), token: new Lifetimes() };
  private readonly allowed: { lease: AllowedMax | null; token: AllowedMax | null } = {
    lease: null,
    token: null,
  };

  add(counter: Counter, n = 1): void {
    this.counts.set(counter, (this.counts.get(counter) ?? 0) + n);
  }

  login(method: string, n: number): void {
    this.logins.set(method, (this.logins.get(method) ?? 0) + n);
  }

  lifetime(kind: 'lease' | 'token', ttl: number | undefined, source: string, n: number): void {
    this.lifetimes[kind].add(ttl, source, n);
  }

  /** Keeps the longest. */
  allow(kind: 'lease' | 'token', max: AllowedMax | undefined): void {
    if (max !== undefined && max.s > (this.allowed[kind]?.s ?? -1)) this.allowed[kind] = max;
  }

  numbers({ leaseSeconds, tokenSeconds }: PostureSettings): Numbers {
    const of = (counter: Counter) => this.counts.get(counter) ?? 0;
    return {
      logins: Object.fromEntries([...this.logins].sort(([a], [b]) => (a < b ? -1 : 1))),
      tokens_issued: of('tokens_issued'),
      static_tokens: of('static_tokens'),
      root_tokens: of('root_tokens'),
      root_calls: of('root_calls'),
      orphan_tokens: of('orphan_tokens'),
      periodic_tokens: of('periodic_tokens'),
      kv_v1_reads: of('kv_v1_reads'),
      kv_v1_secrets: of('kv_v1_secrets'),
      kv_v2_reads: of('kv_v2_reads'),
      lease_lifetimes: this.lifetimes.lease.spread(leaseSeconds),
      lease_allowed_max: this.allowed.lease,
      token_lifetimes: this.lifetimes.token.spread(tokenSeconds),
      token_allowed_max: this.allowed.token,
      secrets_read: of('secrets_read'),
      overdue_rotations: of('overdue_rotations'),
      rotations_unknown: of('rotations_unknown'),
    };
  }
}
