// A memory of the ledger that is Maps alone: slow, simple, and what the one on disk is compared with.

import type { Json } from '../../../core/event.ts';
import type { Held, LedgerMemory } from '../../../core/ports.ts';

/** Rows and values are kept as JSON, as on disk: nobody holds the object that is in the memory. */
export class MapMemory implements LedgerMemory {
  private readonly rows = new Map<string, string>();
  private readonly spaces = new Map<string, Map<string, string>>();
  private committed: string | undefined;

  held(id: string): Held | undefined {
    const text = this.rows.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as Held);
  }

  put(held: Held): void {
    this.rows.set(held.lease.id, JSON.stringify(held));
  }

  forget(id: string): void {
    this.rows.delete(id);
  }

  aliveOf(token: string, at: string, after: string, limit: number): Held[] {
    return this.by('id', (held) => held.lease.holder_token === token && isAlive(held, at))
      .filter(({ lease }) => lease.id > after)
      .slice(0, limit);
  }

  aliveUnder(namespace: string, prefix: string, at: string, after: string, limit: number): Held[] {
    return this.by('id', (held) => (held.lease.namespace ?? '') === namespace && isAlive(held, at))
      .filter(({ lease }) => (lease.kind === 'lease' ? lease.id : `${lease.path}/`).startsWith(prefix))
      .filter(({ lease }) => lease.id > after)
      .slice(0, limit);
  }

  expired(time: string, limit: number): Held[] {
    return this.by(
      'expires_at',
      ({ lease }) => lease.ended_at === undefined && (lease.expires_at ?? END) <= time,
    ).slice(0, limit);
  }

  ended(time: string, limit: number): Held[] {
    return this.by('ended_at', ({ lease }) => (lease.ended_at ?? END) <= time).slice(0, limit);
  }

  newestOpen(holderId: string | undefined, limit: number): Held[] {
    return this.by('issued_at', ({ lease }) => lease.ended_at === undefined && lease.kind === 'lease')
      .filter(({ lease }) => holderId === undefined || lease.holder_id === holderId)
      .reverse()
      .slice(0, limit);
  }

  get(space: string, key: string): Json | undefined {
    const text = this.spaces.get(space)?.get(key);
    return text === undefined ? undefined : frozen(JSON.parse(text) as Json);
  }

  set(space: string, key: string, value: Json): void {
    const values = this.spaces.get(space) ?? new Map<string, string>();
    this.spaces.set(space, values.set(key, JSON.stringify(value)));
  }

  delete(space: string, key: string): void {
    this.spaces.get(space)?.delete(key);
  }

  list(space: string, prefix: string, limit: number): { key: string; value: Json }[] {
    return [...(this.spaces.get(space) ?? [])]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, text]) => ({ key, value: JSON.parse(text) as Json }));
  }

  async commit(place: Json): Promise<void> {
    this.committed = JSON.stringify(place);
  }

  place(): Json | undefined {
    return this.committed === undefined ? undefined : (JSON.parse(this.committed) as Json);
  }

  [Symbol.dispose](): void {
    this.rows.clear();
  }

  /** Rows that `which` takes, ordered by a member and then by id. */
  private by(member: 'id' | 'expires_at' | 'ended_at' | 'issued_at', which: (held: Held) => boolean): Held[] {
    const key = ({ lease }: Held) => `${lease[member] ?? ''} ${lease.id}`;
    return [...this.rows.values()]
      .map((text) => JSON.parse(text) as Held)
      .filter(which)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

/** Whoever changes what he is given has a fault that another memory would show later. */
function frozen(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  Object.freeze(value);
  return value;
}

const END = '\u{ffff}';
const isAlive = ({ lease }: Held, at: string): boolean => (lease.ended_at ?? END) >= at;
