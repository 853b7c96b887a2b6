// The state of every lease and token. Each change is kept as a statement of its row, and the row is concluded anew; when the end
// of a token changes, so do the rows that it holds. Nothing here reads a clock: `advance` says how late it is.

import { canonicalJson } from '../../../core/canonical.ts';
import type { Lease } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import type { Held, LedgerMemory } from '../../../core/ports.ts';
import { addSeconds, utcTime } from '../../../core/time.ts';
import type {
  Change,
  Ended,
  Issued,
  LedgerSink,
  Lifetime,
  LifetimeTold,
  Opened,
  Renewed,
  Used,
} from '../change.ts';
import { type Crossing, Crossings } from './cascade.ts';
import { concluded } from './conclude.ts';
import { endQuestion } from './confirm.ts';
import { addEnd } from './ends.ts';
import { type End, heldOf, later, type Row, rowOf, seenAlive } from './notes.ts';
import { addDetails, addTo, countDown, opened, openedUnseen, orphan } from './opening.ts';
import { addLifetime, addTerm } from './terms.ts';

export class Life {
  private readonly memory: LedgerMemory;
  private readonly sink: Pick<LedgerSink, 'lease' | 'ask'>;
  private readonly crossings: Crossings;
  /** How late it is. It is in the memory too: a row that has expired stays so after a start. */
  private now: string;

  constructor(memory: LedgerMemory, sink: Pick<LedgerSink, 'lease' | 'ask'>) {
    this.memory = memory;
    this.sink = sink;
    this.crossings = new Crossings(memory);
    this.now = String(memory.get(CLOCK, '') ?? '');
  }

  /** Works one change in, and all that follows from it. A change whose time is none is left out. */
  apply(change: Change): void {
    const at = utcTime(change.at);
    if (at === undefined) return;
    switch (change.change) {
      case 'issued':
        this.issued(change, at);
        break;
      case 'renewed':
        this.renewed(change, at);
        break;
      case 'lifetime':
        this.told(change, at);
        break;
      case 'ended':
        this.ended(change, at);
        break;
      case 'used':
        this.used(change, at);
        break;
      case 'opened':
        this.unwrapped(change, at);
        break;
      case 'gone':
        this.ofKnown(change.id, ({ notes }) =>
          addEnd(notes, { at, reason: 'unknown', proof: change.proof, gone: true }),
        );
        break;
      case 'irrevocable':
        this.ofKnown(change.id, ({ notes }) => {
          if (notes.irrevocable === undefined || notes.irrevocable < at) notes.irrevocable = at;
        });
        break;
    }
    this.cross();
  }

  /** It is `time` now: what expires until then has ended, in order of time. An earlier time than before changes nothing. */
  advance(time: string): void {
    const now = utcTime(time);
    if (now === undefined || now <= this.now) return;
    const isNextHour = now.slice(0, HOUR) !== this.now.slice(0, HOUR);
    this.now = now;
    this.memory.set(CLOCK, '', now);
    for (let rows = this.expired(); rows.length > 0; rows = this.expired()) {
      for (const { lease } of rows) {
        // The end of its token may have come before its own since it was read.
        this.ofKnown(lease.id, () => undefined);
        this.cross();
      }
    }
    if (isNextHour) this.forget();
  }

  private expired(): Held[] {
    return this.memory.expired(this.now, limits.cascadeRowsMax);
  }

  /** An hour begins. Rows that ended many of them ago go: nothing that is told now is about them any more. */
  private forget(): void {
    const hours = [
      ...((this.memory.get(CLOCK, 'hours') as string[] | undefined) ?? []),
      this.now.slice(0, HOUR),
    ];
    this.memory.set(CLOCK, 'hours', hours.slice(-limits.endedMemoryHours));
    if (hours.length <= limits.endedMemoryHours) return;
    const until = `${hours[1]}:00:00.000000000Z`;
    const next = () => this.memory.ended(until, limits.cascadeRowsMax);
    for (let rows = next(); rows.length > 0; rows = next())
      for (const { lease } of rows) this.memory.forget(lease.id);
  }

  private issued(change: Issued, at: string): void {
    const held = this.memory.held(change.id);
    const row = held === undefined ? opened(change, at) : rowOf(held);
    if (held !== undefined) addTo(row, change, at);
    if (change.life !== undefined) addLifetime(row.notes, at, change.life);
    this.holdBy(row);
    this.settle(row);
  }

  /** What the token that holds a new row means for it: its login, and its end. */
  private holdBy(row: Row): void {
    const { holder_token, issued_at, kind } = row.lease;
    const held = holder_token === undefined ? undefined : this.memory.held(holder_token);
    if (held === undefined) return;
    const login = held.lease.token?.login;
    if (kind === 'token' && login !== undefined)
      row.lease = { ...row.lease, token: { login, ...row.lease.token } };
    let holder = rowOf(held);
    const { ended_at } = holder.lease;
    if (ended_at !== undefined && later(ended_at, limits.endDoubtSeconds) < issued_at) {
      // It gives something out long after its end: that was none.
      seenAlive(holder.notes, issued_at);
      holder = this.settle(holder);
    }
    endWith(row, holder);
  }

  private renewed(change: Renewed, at: string): void {
    const row = this.rowFor(change.id, change, at);
    addTerm(row.notes, at);
    if (change.life !== undefined) addLifetime(row.notes, at, change.life);
    seenAlive(row.notes, at);
    const { last_renewed_at: last, renewals } = row.lease;
    row.lease = {
      ...row.lease,
      renewals: renewals + 1,
      last_renewed_at: last !== undefined && last > at ? last : at,
    };
    this.settle(row);
  }

  private told(change: LifetimeTold, at: string): void {
    // A rule for many says nothing of a row that nobody knows.
    const isOfMany = change.life.source === 'role_config' || change.life.source === 'dictionary';
    if (isOfMany && this.memory.held(change.id) === undefined) return;
    const row = this.rowFor(change.id, change, beganBy(at, change.life));
    if (row.notes.terms.length === 0) row.notes.terms.push({ at: row.lease.issued_at });
    addLifetime(row.notes, at, change.life);
    if (change.token !== undefined) addDetails(row, change.token);
    this.settle(row);
  }

  private ended(change: Ended, at: string): void {
    const { proof, reason, what } = change;
    const end: End = { at, reason, proof };
    if ('lease' in what) this.ofKnown(what.lease, ({ notes }) => addEnd(notes, end));
    else if ('prefix' in what) this.endedUnder(change.namespace, what.prefix, end);
    else {
      const row = this.rowFor(what.token, change, at);
      addEnd(row.notes, what.childrenLive ? { ...end, childrenLive: true } : end);
      this.settle(row);
    }
  }

  /** A prefix is a folder, or just one lease (vault-audit.md 4). */
  private endedUnder(namespace: string, prefix: string, end: End): void {
    const folder = prefix.replace(/\/+$/, '');
    this.ofKnown(folder, (row) => endIfThere(row, end));
    const under = folder === '' ? '' : `${folder}/`;
    const from = momentBefore(end.at);
    let rows: Held[];
    let after = '';
    do {
      rows = this.memory.aliveUnder(namespace, under, from, after, limits.cascadeRowsMax);
      for (const held of rows) {
        const row = rowOf(held);
        if (endIfThere(row, end)) this.settle(row);
      }
      after = rows.at(-1)?.lease.id ?? after;
      this.cross();
    } while (rows.length === limits.cascadeRowsMax);
  }

  private used(change: Used, at: string): void {
    const row = this.rowFor(change.id, change, at);
    seenAlive(row.notes, at);
    countDown(row, Math.max(0, change.uses_left));
    // Vault revokes a token after its last use.
    if (change.uses_left <= 0) addEnd(row.notes, { at, reason: 'revoked', proof: change.proof });
    this.settle(row);
  }

  private unwrapped(change: Opened, at: string): void {
    const from = change.opened_from === undefined ? {} : { opened_from: change.opened_from };
    this.ofKnown(change.id, (row) => {
      const { wrapped } = row.lease;
      if (wrapped !== undefined && (wrapped.opened_at === undefined || wrapped.opened_at > at))
        row.lease = { ...row.lease, wrapped: { ...wrapped, opened_at: at, ...from } };
    });
  }

  private rowFor(id: string, change: Change, at: string): Row {
    const held = this.memory.held(id);
    return held === undefined ? openedUnseen(id, change, at) : rowOf(held);
  }

  /** Of a row that nobody knows nothing is kept. */
  private ofKnown(id: string, add: (row: Row) => void): void {
    const held = this.memory.held(id);
    if (held === undefined) return;
    const row = rowOf(held);
    add(row);
    this.settle(row);
  }

  /** Concludes the row anew, keeps it, tells it when it is another, and lets the rows that it holds know when its end is. */
  private settle(row: Row): Row {
    const { notes, was } = row;
    const wasFreed = notes.freed;
    let lease = concluded(row, this.now);
    // It lived on when it was thought to have ended: until then the end of the token that holds it passed it by.
    if (was?.ended_at !== undefined && !(lease.ended_at !== undefined && lease.ended_at <= was.ended_at)) {
      const holder = this.memory.held(lease.holder_token ?? '');
      if (holder !== undefined && endWith(row, rowOf(holder))) lease = concluded(row, this.now);
    }
    const isNew = was === undefined || canonicalJson(lease) !== canonicalJson(was);
    const settled: Row = { lease, revision: row.revision + (isNew ? 1 : 0), notes, was: lease };
    this.memory.put(heldOf(settled));
    if (isNew) this.sink.lease(settled.revision, lease);
    const ends = [was?.ended_at, lease.ended_at];
    if (ends[0] === undefined && !lease.end_confirmed) this.askIfGone(lease);
    const from = ends.filter((time) => time !== undefined).sort()[0];
    const isMoved = ends[0] !== ends[1] || was?.proof.ended !== lease.proof.ended || wasFreed !== notes.freed;
    if (lease.kind === 'token' && isMoved && from !== undefined)
      this.crossings.add({ token: lease.id, from: momentBefore(from), after: '' });
    return settled;
  }

  private askIfGone(lease: Lease): void {
    const question = endQuestion(lease);
    if (question !== undefined) this.sink.ask(question);
  }

  /** Until the end of each token has crossed all rows that it holds, piece by piece. */
  private cross(): void {
    for (let next = this.crossings.next(); next !== undefined; next = this.crossings.next())
      this.crossPiece(next);
  }

  private crossPiece(crossing: Crossing): void {
    const { after, from, token } = crossing;
    const held = this.memory.held(token);
    if (held === undefined) return;
    const holder = rowOf(held);
    const rows = this.memory.aliveOf(token, from, after, limits.cascadeRowsMax);
    const last = rows.at(-1);
    if (last !== undefined && rows.length === limits.cascadeRowsMax)
      this.crossings.add({ ...crossing, after: last.lease.id });
    for (const row of rows.map(rowOf)) if (endWith(row, holder)) this.settle(row);
  }
}

/** Takes over what the end of the token that holds it means; whether that is anything new. */
function endWith(row: Row, holder: Row): boolean {
  const { ended_at, proof } = holder.lease;
  const { issued_at, kind } = row.lease;
  if (kind === 'token' && holder.notes.freed === true) {
    orphan(row);
    return true;
  }
  const parent = row.notes.parent;
  if (ended_at === undefined) delete row.notes.parent;
  else
    row.notes.parent = {
      at: ended_at < issued_at ? issued_at : ended_at,
      ...(proof.ended === undefined ? {} : { proof: proof.ended }),
    };
  return canonicalJson(parent) !== canonicalJson(row.notes.parent);
}

/** From when on rows have to know of an end: a look-up with another clock may have found them gone a moment before it. */
const momentBefore = (end: string): string => addSeconds(end, -limits.endDoubtSeconds);

/** Ends a row by what ends all under a prefix, unless it came later. */
function endIfThere(row: Row, end: End): boolean {
  if (row.lease.issued_at > end.at) return false;
  addEnd(row.notes, end);
  return true;
}

/** When the term began, at the latest, that a look-up at `at` shows. */
function beganBy(at: string, { expires_at = '', ttl_s }: Lifetime): string {
  const expires = utcTime(expires_at);
  if (expires === undefined || !(ttl_s >= 0 && ttl_s <= limits.ttlSecondsMax)) return at;
  const began = addSeconds(expires, -Math.round(ttl_s));
  return began < at ? began : at;
}

/** What comes before the minutes in a time. */
const HOUR = 'YYYY-MM-DDTHH'.length;
const CLOCK = 'life/clock';
