// The reading of the ledger with its rows: real lines go through the normaliser, changes into the state of leases and tokens.

import type { Fact, FactKind } from '../../../../core/directory.ts';
import type { AuditEvent, JsonObject } from '../../../../core/event.ts';
import type { Lease } from '../../../../core/lease.ts';
import type { Answer, Handles, HashPair, OwnToken, Question } from '../../../../core/records.ts';
import { utcTime } from '../../../../core/time.ts';
import type { Change, Directory } from '../../../../ingest/ledger/change.ts';
import { Life } from '../../../../ingest/ledger/life/life.ts';
import { Reading, type ReadingOptions } from '../../../../ingest/ledger/reading/reading.ts';
import { type EntryLine, fixtureLines, type Line, made } from '../../normalise/lines.ts';
import { MapMemory } from '../memory.ts';

export interface Input {
  done: string;
  event?: AuditEvent;
  handles?: Handles;
  answer?: Answer;
}

export const entriesOf = (scene: string, device = 'default'): EntryLine[] =>
  fixtureLines(scene, device).map((line) => JSON.parse(line) as EntryLine);

const member = (from: unknown, name: string): JsonObject =>
  ((from as JsonObject | undefined)?.[name] as JsonObject | undefined) ?? {};

/** Calls of `lines` in the order in which Vault had done them. */
export function callsOf(lines: Line[]): Input[] {
  const entries = lines.map((line) =>
    typeof line === 'object' && !Buffer.isBuffer(line) ? line : (JSON.parse(String(line)) as EntryLine),
  );
  const inputs = made(lines).events.map((event) => {
    const own = entries.filter(({ request }) => request['id'] === event.vault.request.id);
    const main = own.find(({ type }) => type === 'response') ?? own[0];
    const done = utcTime(main?.time ?? '') ?? event['@timestamp'];
    return { done, event, handles: handlesOf(event, main) };
  });
  return inputs.sort((a, b) => (a.done < b.done ? -1 : 1));
}

function handlesOf(event: AuditEvent, entry: EntryLine | undefined): Handles {
  const isLogin = event.event.action === 'user-login';
  const wrap = member(entry?.response, 'wrap_info');
  const handles = {
    sent: isLogin ? undefined : entry?.auth?.['client_token'],
    inner: entry?.request['client_token'],
    issued:
      member(entry?.response, 'auth')['client_token'] ??
      (isLogin ? entry?.auth?.['client_token'] : undefined),
    wrap: wrap['token'],
    wrapped_accessor: wrap['wrapped_accessor'],
    uses_left: isLogin ? undefined : entry?.auth?.['remaining_uses'],
  };
  return Object.fromEntries(Object.entries(handles).filter(([, value]) => value !== undefined)) as Handles;
}

/** Answers of Vault as a fixture has them. */
export const answersOf = (name: string): Input[] =>
  fixtureLines('answers', name).map((line) => {
    const answer = JSON.parse(line) as Answer;
    const done = utcTime(answer.at) as string;
    return { done, answer: { ...answer, at: done } };
  });

export const inOrder = (...inputs: Input[][]): Input[] =>
  inputs.flat().sort((a, b) => (a.done < b.done ? -1 : 1));

/** A directory that knows what it is told. */
class ToldDirectory implements Directory {
  readonly facts = new Map<string, Fact>();
  current<W extends FactKind>(what: W, namespace: string, key: string): Fact<W> | undefined {
    return this.facts.get(`${what} ${namespace}${key}`) as Fact<W> | undefined;
  }
}

export class Rig {
  readonly memory = new MapMemory();
  readonly leases = new Map<string, Lease>();
  readonly asked: Question[] = [];
  readonly own: OwnToken[] = [];
  readonly directory = new ToldDirectory();
  readonly life: Life;
  readonly reading: Reading;
  readonly changes: Change[] = [];

  constructor(options: Partial<ReadingOptions> = {}) {
    const sink = {
      lease: (_: number, body: Lease) => this.leases.set(body.id, body),
      ask: (question: Question) => this.asked.push(question),
      own: (token: OwnToken) => this.own.push(token),
    };
    this.life = new Life(this.memory, sink);
    const all: ReadingOptions = { cluster: 'test', auditPathOf: (device) => device, ...options };
    this.reading = new Reading(this.memory, this.directory, sink, all);
  }

  play(inputs: Input[]): this {
    for (const { done, event, handles, answer } of inputs) {
      this.life.advance(done);
      if (event !== undefined) this.apply(this.reading.call(event, handles ?? {}));
      if (answer !== undefined) this.apply(this.reading.answer(answer));
    }
    return this;
  }

  pair(pair: HashPair): this {
    this.apply(this.reading.hashes(pair));
    return this;
  }

  private apply(changes: Change[]): void {
    this.changes.push(...changes);
    for (const change of changes) this.life.apply(change);
  }

  /** Rows by a path, in the order in which they were issued. */
  by(path: string): Lease[] {
    const rows = [...this.leases.values()].filter((lease) => lease.path === path);
    return rows.sort((a, b) => (a.issued_at < b.issued_at ? -1 : 1));
  }

  /** What was asked of a path that begins so. */
  askedOf(path: string): Question[] {
    return this.asked.filter((question) => question.path.startsWith(path));
  }
}

/** A fact of the directory, as a read of `path` showed it. */
export const roleFact = (key: string, value: Fact<'role'>['value']): Fact<'role'> => ({
  id: 'fact-1',
  what: 'role',
  cluster: 'test',
  namespace: '',
  key,
  at: '2026-01-01T00:00:00.000000000Z',
  value,
  source: 'audit',
  proof: 'read-of-role',
});
