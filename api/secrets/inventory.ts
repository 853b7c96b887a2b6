// The inventory of secrets: what the log shows of each, who changed it last and who read it last.

import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { addSeconds, utcTime } from '../../core/time.ts';
import { rotatingActions } from './rotations.ts';
import { type Call, nextPaths, type Seen, seenAt, type Wanted } from './seen.ts';

const call = z.object({
  at: z.string(),
  by: z.object({ id: z.string(), name: z.string().nullable() }).nullable().meta({
    description: 'null when the event is older than what the store keeps, or Vault did it by itself',
  }),
  version: z.int().nullable().meta({ description: 'of KV v2' }),
  event_id: z.string().nullable(),
});

export const states = ['live', 'deleted', 'removed', 'destroyed_in_part', 'unknown'] as const;

export const secretRow = z.object({
  path: z.string(),
  engine: z.string().nullable().meta({ description: '`kv-v1`, `kv-v2`, else the type of the mount' }),
  version: z.int().nullable().meta({
    description: 'of KV v2: that of the last write seen, else the highest that was read; null when not known',
  }),
  created: call.nullable().meta({
    description: 'first write seen. It made the secret if its version is 1; null when no write was seen',
  }),
  last_rotated: call.nullable().meta({
    description:
      'last write (KV) or rotation (static credentials: by call, or what Vault told a reader of its last rotation); null when none was seen',
  }),
  last_read: call.nullable().meta({
    description: 'last time that it was given out: read, or a credential or certificate issued from it',
  }),
  reads: z.int(),
  readers: z.int().meta({ description: 'distinct identities (user.id) that it was given to' }),
  never_read: z.boolean().meta({ description: 'since the log began: see `since`' }),
  written_never_read: z.boolean(),
  state: z.enum(states).meta({
    description:
      '`deleted`: the latest version, it can be undeleted. `removed`: with all versions. `destroyed_in_part`: versions were destroyed after the last write; which ones is hashed. `unknown`: only read so far, or never since',
  }),
  first_seen: z.string(),
  last_seen: z.string(),
});
export type SecretRow = z.infer<typeof secretRow>;

export interface Asked extends Wanted {
  never_read?: boolean | undefined;
  written_never_read?: boolean | undefined;
  /** Only those last rotated before this time, or never since the log began when it began before. */
  rotated_before?: string | undefined;
  limit: number;
  /** Paths after this one. */
  after: string;
}

/** Secrets looked at in one question to the store. */
const STEP = 500;

/**
 * Up to `limit` secrets by the order of their paths. `next` is where the next page begins: a page can hold fewer rows, or none, when
 * `limits.inventoryScanMax` secrets were looked at.
 */
export async function inventoryPage(
  reader: EvidenceReader,
  asked: Asked,
  since: string | undefined,
): Promise<{ rows: SecretRow[]; next: string | undefined }> {
  const rows: SecretRow[] = [];
  let { after } = asked;
  const isFiltered = [asked.never_read, asked.written_never_read, asked.rotated_before].some(
    (filter) => filter !== undefined,
  );
  for (let scanned = 0; scanned < limits.inventoryScanMax; ) {
    const step = isFiltered ? STEP : Math.min(STEP, asked.limit - rows.length);
    const paths = await nextPaths(reader, asked, after, step);
    const found = (await seenAt(reader, paths)).filter((seen) => mayFit(seen, asked));
    const calls = await lastCalls(reader, found);
    for (const seen of found) {
      const rotation = lastRotation(seen, calls);
      if (!isOlder(rotation?.at, asked, since)) continue;
      rows.push(await tell(reader, seen, { calls, rotation }));
      if (rows.length < asked.limit) continue;
      const isLast = (await nextPaths(reader, asked, seen.path, 1)).length === 0;
      return { rows, next: isLast ? undefined : seen.path };
    }
    if (paths.length < step) return { rows, next: undefined };
    after = paths.at(-1) ?? after;
    scanned += paths.length;
    // Whoever else asks gets an answer in between.
    await setImmediate();
  }
  return { rows, next: after };
}

const isWritten = ({ actions }: Seen) => actions.has('secret-write') || actions.has('secret-patch');

/** What can be told without reading an event. */
function mayFit(seen: Seen, { never_read, written_never_read, rotated_before }: Asked): boolean {
  const neverRead = seen.reads === 0;
  if (never_read !== undefined && never_read !== neverRead) return false;
  if (written_never_read !== undefined && written_never_read !== (neverRead && isWritten(seen))) return false;
  return (
    rotated_before === undefined || seen.lastRotated === undefined || seen.lastRotated.at < rotated_before
  );
}

function isOlder(rotated: string | undefined, { rotated_before: before }: Asked, since: string | undefined) {
  if (before === undefined) return true;
  return (rotated ?? since ?? '~') < before;
}

type Calls = Map<string, AuditEvent>;

/** Last reads and rotations of at most `STEP` secrets, by their ids. */
const lastCalls = (reader: EvidenceReader, found: Seen[]): Promise<Calls> =>
  reader.getAll(
    'events',
    found.flatMap(({ lastRead, lastRotated }) =>
      [lastRead, lastRotated].flatMap((one) => (one === undefined ? [] : [one.event_id])),
    ),
  );

function lastRotation({ lastRead, lastRotated }: Seen, calls: Calls): Told | null {
  const read = lastRead && calls.get(lastRead.event_id);
  return laterOf(lastRotated && callOf(lastRotated, calls.get(lastRotated.event_id)), ownRotation(read));
}

async function tell(
  reader: EvidenceReader,
  seen: Seen,
  { calls, rotation }: { calls: Calls; rotation: Told | null },
): Promise<SecretRow> {
  const { lastRead, lastRotated, reads } = seen;
  const rotated = lastRotated && calls.get(lastRotated.event_id);
  const first = isWritten(seen) ? await firstWrite(reader, seen.path) : undefined;
  const written = rotated?.vault.secret?.version;
  return {
    path: seen.path,
    engine: seen.engine ?? null,
    version: written ?? (seen.engine === 'kv-v2' ? await highestVersion(reader, seen.path) : null),
    created:
      first === undefined ? null : callOf({ at: first['@timestamp'], event_id: first.event.id }, first),
    last_rotated: rotation,
    last_read: lastRead === undefined ? null : callOf(lastRead, calls.get(lastRead.event_id)),
    reads,
    readers: seen.readers.size,
    never_read: reads === 0,
    written_never_read: reads === 0 && isWritten(seen),
    state: stateOf(seen),
    first_seen: seen.first,
    last_seen: seen.last,
  };
}

type Told = z.infer<typeof call>;

const callOf = ({ at, event_id }: Call, event: AuditEvent | undefined): Told => ({
  at,
  by: event === undefined ? null : { id: event.user.id, name: event.user.name ?? null },
  version: event?.vault.secret?.version ?? null,
  event_id,
});

/** A static credential's reader is told when Vault last changed it, also by itself (vault-audit.md 6). */
function ownRotation(read: AuditEvent | undefined): Told | undefined {
  const told = read?.vault.response?.data?.['last_vault_rotation'];
  const at = typeof told === 'string' ? utcTime(told) : undefined;
  return at === undefined ? undefined : { at, by: null, version: null, event_id: read?.event.id ?? null };
}

/** Of one rotation that a call and a reader's answer show, within seconds, the call is told: it names who. */
function laterOf(byCall: Told | undefined, told: Told | undefined): Told | null {
  if (byCall === undefined || told === undefined) return byCall ?? told ?? null;
  return addSeconds(told.at, -SAME_ROTATION_S) > byCall.at ? told : byCall;
}
const SAME_ROTATION_S = 60;

async function firstWrite(reader: EvidenceReader, path: string): Promise<AuditEvent | undefined> {
  const { items } = await reader.find({
    kind: 'events',
    where: [
      { field: 'vault.secret.path', op: 'eq', value: path },
      { field: 'event.action', op: 'in', value: [...rotatingActions] },
      { field: 'event.outcome', op: 'eq', value: 'success' },
    ],
    order: 'asc',
    limit: 1,
  });
  return items[0];
}

async function highestVersion(reader: EvidenceReader, path: string): Promise<number | null> {
  const { groups } = await reader.group({
    where: [
      { field: 'vault.secret.path', op: 'eq', value: path },
      { field: 'vault.secret.version', op: 'exists', value: true },
    ],
    by: ['vault.secret.version'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  return groups.reduce<number | null>((most, { by }) => Math.max(most ?? 0, Number(by[0])), null);
}

function stateOf({ engine, actions, lastRead }: Seen): SecretRow['state'] {
  const last = (...names: string[]) =>
    names.map((name) => actions.get(name) ?? '').reduce((a, b) => (a > b ? a : b));
  const written = last('secret-write', 'secret-patch');
  const isAfterWrite = (at: string) => at !== '' && at > written;
  const deleted = last('secret-delete');
  if (isAfterWrite(last('secret-metadata-delete'))) return 'removed';
  if (engine === 'kv-v1' && isAfterWrite(deleted)) return 'removed';
  if (isAfterWrite(deleted) && deleted > last('secret-undelete')) return 'deleted';
  if (isAfterWrite(last('secret-destroy'))) return 'destroyed_in_part';
  return written === '' && lastRead === undefined ? 'unknown' : 'live';
}
