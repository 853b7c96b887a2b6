// A ledger's life in a test: what it is told, what it tells, on a day in September.

import type { Lease } from '../../../../core/lease.ts';
import type { Question } from '../../../../core/records.ts';
import { utcTime } from '../../../../core/time.ts';
import type { Change, Ended, Issued, Lifetime } from '../../../../ingest/ledger/change.ts';
import { Life } from '../../../../ingest/ledger/life/life.ts';
import { MapMemory } from '../memory.ts';

/** `10:00`, `10:00:30` of the day, as a canonical time. */
export function at(clock: string, day = '2026-09-07'): string {
  const text = clock.length === 5 ? `${clock}:00` : clock;
  return utcTime(`${day}T${text}Z`) as string;
}

export class Told {
  readonly memory: MapMemory;
  readonly rows = new Map<string, { revision: number; lease: Lease }>();
  readonly questions: Question[] = [];
  readonly life: Life;

  constructor(memory = new MapMemory()) {
    this.memory = memory;
    this.life = new Life(this.memory, {
      lease: (revision, lease) => {
        const before = this.rows.get(lease.id)?.revision ?? 0;
        if (revision <= before) throw new Error(`revision ${revision} of ${lease.id} after ${before}`);
        this.rows.set(lease.id, { revision, lease: structuredClone(lease) });
      },
      ask: (question) => this.questions.push(question),
    });
  }

  tell(...changes: Change[]): this {
    for (const change of changes) this.life.apply(change);
    return this;
  }

  /** Works in the order of time, as the ledger does: first how late it is, then what came to be. */
  live(...changes: Change[]): this {
    for (const change of changes) {
      this.life.advance(change.at);
      this.life.apply(change);
    }
    return this;
  }

  until(clock: string, day?: string): this {
    this.life.advance(at(clock, day));
    return this;
  }

  now(): string {
    return String(this.memory.get('life/clock', ''));
  }

  row(id: string): Lease {
    const row = this.rows.get(id);
    if (row === undefined) throw new Error(`nothing was told of ${id}`);
    return row.lease;
  }

  all(): Lease[] {
    return [...this.rows.values()].map(({ lease }) => lease).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

const base = (clock: string) => ({ at: at(clock), proof: `e-${clock}`, cluster: 'test', namespace: '' });

export const LEASE = 'database/creds/app/one';
export const TOKEN = 'token:hmac-sha256:aa';

export const life = (ttl_s: number, more: Partial<Lifetime> = {}): Lifetime => ({
  ttl_s,
  source: 'own_lookup',
  proof: 'l',
  ...more,
});

export const lease = (clock: string, more: Partial<Issued> = {}): Issued => ({
  ...base(clock),
  change: 'issued',
  kind: 'lease',
  id: LEASE,
  path: 'database/creds/app',
  requested_by: 'entity-1',
  holder_id: 'entity-1',
  ...more,
});

export const token = (clock: string, more: Partial<Issued> = {}): Issued => ({
  ...base(clock),
  change: 'issued',
  kind: 'token',
  id: TOKEN,
  path: 'auth/approle/login',
  requested_by: 'entity-1',
  life: life(3600, { source: 'audit', proof: `e-${clock}` }),
  token: { accessor: 'hmac-sha256:aa', login: `e-${clock}` },
  ...more,
});

export const renewed = (clock: string, told?: Lifetime, id = LEASE): Change => ({
  ...base(clock),
  change: 'renewed',
  id,
  ...(told === undefined ? {} : { life: told }),
});

export const lifetime = (clock: string, told: Lifetime, id = LEASE): Change => ({
  ...base(clock),
  change: 'lifetime',
  id,
  life: told,
});

export const ended = (clock: string, what: Ended['what'], reason: Ended['reason'] = 'revoked'): Ended => ({
  ...base(clock),
  change: 'ended',
  what,
  reason,
});

export const revoked = (clock: string, id = LEASE): Ended => ended(clock, { lease: id });
export const tokenRevoked = (clock: string, id = TOKEN, childrenLive = false): Ended =>
  ended(clock, { token: id, childrenLive });
export const gone = (clock: string, id = LEASE): Change => ({ ...base(clock), change: 'gone', id });
export const irrevocable = (clock: string, id = LEASE): Change => ({
  ...base(clock),
  change: 'irrevocable',
  id,
});
export const used = (clock: string, uses_left: number, id = TOKEN): Change => ({
  ...base(clock),
  change: 'used',
  id,
  uses_left,
});
export const unwrapped = (clock: string, opened_from: string, id = LEASE): Change => ({
  ...base(clock),
  change: 'opened',
  id,
  opened_from,
});
