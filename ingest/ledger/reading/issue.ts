// What a call gave out: tokens, leases and wrapped answers; and what was in a wrapped answer that it opened.

import type { Change, Directory } from '../change.ts';
import type { ReadMemory } from './bounded.ts';
import { type Call, known } from './call.ts';
import type { Joins } from './joins.ts';
import { Leases } from './leases.ts';
import type { Lifetimes } from './lifetimes.ts';
import type { Questions } from './questions.ts';
import { Tokens } from './tokens.ts';
import { Wraps } from './wraps.ts';

export class Issues {
  private readonly tokens: Tokens;
  private readonly leases: Leases;
  private readonly wraps: Wraps;

  constructor(
    memory: ReadMemory,
    directory: Directory,
    parts: { joins: Joins; lifetimes: Lifetimes; questions: Questions },
  ) {
    this.tokens = new Tokens(memory, directory, parts);
    this.leases = new Leases(parts);
    this.wraps = new Wraps(memory, parts.joins.names);
  }

  /** The caller's token, when no row tells of it. */
  firstSeen(call: Call): Change[] {
    return this.tokens.firstSeen(call);
  }

  /** What the call tells of roles of tokens. */
  role(call: Call): void {
    if (call.mount === 'auth/token/') this.tokens.role(call);
  }

  /** Everything that the call gave out. A renewal shows token or lease too, and gives out nothing new. */
  given(call: Call): Change[] {
    const { event } = call;
    const { action } = event.event;
    if (action === 'response-unwrap') return this.unwrapped(call);
    const token = event.vault.issued && action !== 'token-renew' ? this.tokens.given(call) : undefined;
    const lease = event.vault.lease && action !== 'lease-renew' ? this.leases.given(call) : [];
    return [...(token === undefined ? [] : [token]), ...lease, ...this.wraps.created(call, token?.id)];
  }

  private unwrapped(call: Call): Change[] {
    const { wrapped: by, changes } = this.wraps.opened(call);
    const { event, base } = call;
    const from = known({ opened_from: event.source?.ip });
    const wrapped = by && { by: by.by, at: by.at, opened_at: base.at, ...from };
    return [...changes, ...this.leases.opened(call, by, wrapped), ...this.tokens.opened(call, by, wrapped)];
  }
}
