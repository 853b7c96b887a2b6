// Renewals: of a lease the line shows its id and never its lifetime, of a token both (vault-audit.md 4).

import type { Change, Lifetime } from '../change.ts';
import type { ReadMemory } from './bounded.ts';
import { type Call, isHash, textOf, tokenId, tokenNamed } from './call.ts';
import type { Joins } from './joins.ts';
import { type Lifetimes, placeOf } from './lifetimes.ts';
import type { Questions } from './questions.ts';

export class Renewals {
  private readonly memory: ReadMemory;
  private readonly joins: Joins;
  private readonly lifetimes: Lifetimes;
  private readonly questions: Questions;

  constructor(memory: ReadMemory, parts: { joins: Joins; lifetimes: Lifetimes; questions: Questions }) {
    this.memory = memory;
    this.joins = parts.joins;
    this.lifetimes = parts.lifetimes;
    this.questions = parts.questions;
  }

  /** The answer has the lease id in plain and the request its hash: what else was done to that hash was done to this lease. */
  lease(call: Call): Change[] {
    const { event, base, data } = call;
    const id = event.vault.lease?.id;
    if (id === undefined) return [];
    const hash = textOf(data, 'lease_id');
    const explained = hash === undefined ? [] : this.joins.explain(hash, id, 'shown', base.at);
    const life = this.lifetimeOf(call, id);
    // Those that waited are of before.
    return [...explained, { change: 'renewed', ...base, id, ...(life === undefined ? {} : { life }) }];
  }

  /** `auth/token/renew`, `renew-self`, `renew-accessor`: the answer shows the token's accessor and its new lifetime. */
  token(call: Call): Change[] {
    const { event, base, handles } = call;
    const { issued } = event.vault;
    const name = issued?.accessor ?? handles.issued;
    if (issued === undefined || name === undefined) return [];
    const id = tokenId(this.joins.names.canonical(name));
    const { accessor: hash, token } = tokenNamed(call);
    const explained = [
      ...(hash === undefined || issued.accessor === undefined || hash === issued.accessor
        ? []
        : this.joins.explain(hash, issued.accessor, 'shown', base.at)),
      ...this.joins.explainToken(token, id, base.at),
    ];
    const { ttl_s } = issued;
    const life: Lifetime | undefined =
      ttl_s === undefined ? undefined : { ttl_s, source: 'audit', proof: base.proof };
    return [...explained, { change: 'renewed', ...base, id, ...(life === undefined ? {} : { life }) }];
  }

  /** For as long as the renewal asks, and where it asks for nothing as long as the role has it (`CalculateTTL` of Vault). */
  private lifetimeOf(call: Call, id: string): Lifetime | undefined {
    const { base, data } = call;
    const row = this.memory.held(id)?.lease;
    const place = placeOf(row?.namespace ?? base.namespace, id);
    const { increment } = data as { increment?: unknown };
    const asked = this.joins.seconds(call, increment);
    const max = this.lifetimes.maxOf(place);
    if (typeof asked === 'object' && asked.seconds > 0) {
      // Vault gives less without a word: where nobody knows how much it may give, it is asked what it gave.
      if (max.max_ttl_s === undefined) this.ask(base, id, place.namespace);
      const source = asked.how === 'shown' ? 'audit' : 'dictionary';
      return { ttl_s: asked.seconds, source, ...max, proof: base.proof };
    }
    const life = asked === 'unknown' ? undefined : this.lifetimes.ofPlace(call, place);
    if (asked === 'unknown' && typeof increment === 'string' && isHash(increment)) {
      const told: Lifetime = { ttl_s: 0, source: 'dictionary', ...max, proof: base.proof };
      this.joins.whenWord(increment, { change: 'lifetime', ...base, id, life: told });
    }
    if (life === undefined) this.ask(base, id, place.namespace);
    return life;
  }

  private ask({ at }: Call['base'], id: string, namespace: string): void {
    const question = { at, path: 'sys/leases/lookup', need: 'lifetime' } as const;
    this.questions.put({ ...question, body: { lease_id: id }, namespace });
  }
}
