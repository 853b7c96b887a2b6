// The record of changes: what rules and lists were in force, and each change of them once, whatever crashes in between. What was
// in force last stands in a snapshot; an edit that was made while sealwatch was down is found at the next start.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/canonical.ts';
import type { JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { type Change, topics } from '../../core/records.ts';
import type { InForce } from '../rules/load.ts';

const GROUP = 'rules-in-force';
const MEMBER = 'all';
const PARTITION = 0;
const PLACE = `${topics.changes}/${PARTITION}`;

interface State {
  /** Rules and entries by what and key. */
  inForce: [string, JsonObject][];
  /** Changes that are being written; the stream may have them already. */
  pending: Change[];
}

/** By what and key; a space cannot stand in `what`. */
const placeOf = ({ what, key }: Pick<Change, 'what' | 'key'>): string => `${what} ${key}`;

export class ChangeRecord {
  private readonly stream: Stream;
  private inForce: Map<string, JsonObject>;
  private pending: Change[];
  /** End of the topic before `pending` was written. */
  private from: number;

  private constructor(stream: Stream, { inForce, pending }: State, from: number) {
    this.stream = stream;
    this.inForce = new Map(inForce);
    this.pending = pending;
    this.from = from;
  }

  /** Where the last one stopped. */
  static async load(stream: Stream): Promise<ChangeRecord> {
    const snapshot = await stream.loadSnapshot(GROUP, MEMBER);
    const state = (snapshot?.state as State | undefined) ?? { inForce: [], pending: [] };
    return new ChangeRecord(stream, state, snapshot?.outputs[PLACE] ?? 0);
  }

  /** Whether nothing was ever in force here: what is recorded next is the begin, not news. */
  get isEmpty(): boolean {
    return this.inForce.size === 0;
  }

  /**
   * Writes a change for each that was added, changed or removed since, after what was begun and not ended. Rejects when the disk
   * refuses: to be called again.
   * @param at wall time
   */
  async record(now: readonly InForce[], at: string): Promise<Change[]> {
    await this.finish();
    const changes = changesOf(this.inForce, now, at);
    if (changes.length === 0) return [];
    const inForce = new Map(now.map((one) => [placeOf(one), one.body]));
    const from = this.stream.end(topics.changes, PARTITION);
    await this.save(inForce, changes, from);
    Object.assign(this, { inForce, pending: changes, from });
    await this.finish();
    return changes;
  }

  /** Writes what is pending and not on the stream yet. */
  private async finish(): Promise<void> {
    if (this.pending.length === 0) return;
    const written = await this.idsFrom(this.from);
    const missing = this.pending.filter(({ id }) => !written.has(id));
    this.stream.append(
      topics.changes,
      PARTITION,
      missing.map((value) => ({ kind: 'change', value })),
    );
    await this.stream.flush();
    await this.save(this.inForce, [], this.stream.end(topics.changes, PARTITION));
    this.pending = [];
  }

  private save(inForce: ReadonlyMap<string, JsonObject>, pending: Change[], from: number): Promise<void> {
    const state: State = { inForce: [...inForce], pending };
    return this.stream.saveSnapshot(GROUP, MEMBER, { inputs: {}, outputs: { [PLACE]: from }, state });
  }

  private async idsFrom(offset: number): Promise<Set<string>> {
    const ids = new Set<string>();
    let next = Math.max(offset, this.stream.start(topics.changes, PARTITION));
    while (next < this.stream.end(topics.changes, PARTITION)) {
      const records = await this.stream.read(topics.changes, PARTITION, next, limits.readBytesMax);
      for (const { kind, value, offset: at } of records) {
        if (kind === 'change') ids.add((value as Change).id);
        next = at + 1;
      }
    }
    return ids;
  }
}

function changesOf(before: ReadonlyMap<string, JsonObject>, now: readonly InForce[], at: string): Change[] {
  const changes: Change[] = [];
  const there = new Set<string>();
  for (const { what, key, body, who, why } of now) {
    const place = placeOf({ what, key });
    there.add(place);
    const old = before.get(place);
    if (old !== undefined && canonicalJson(old) === canonicalJson(body)) continue;
    changes.push({
      ...changeOf({ what, key, before: old, after: body, at }),
      ...(who !== undefined && { who }),
      ...(why !== undefined && { why }),
    });
  }
  for (const [place, old] of before) {
    if (there.has(place)) continue;
    const [what = ''] = place.split(' ', 1);
    const key = place.slice(what.length + 1);
    // Who took it away nobody can tell: there is no file any more.
    changes.push(changeOf({ what: what as Change['what'], key, before: old, after: undefined, at }));
  }
  return changes;
}

function changeOf(parts: {
  what: Change['what'];
  key: string;
  before: JsonObject | undefined;
  after: JsonObject | undefined;
  at: string;
}): Change {
  const { what, key, before, after, at } = parts;
  return {
    id: createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 32),
    ...{ at, what, key },
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  };
}
