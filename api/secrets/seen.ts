// What calls the log shows of each secret, counted: the cheap part of the inventory, from one index of the store.

import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Group } from '../../core/query.ts';
import { readActions } from '../evidence/reads.ts';
import { rotatingActions, rotationPath } from './rotations.ts';

/** Calls that give the secret or a credential out. */
const giving: readonly string[] = [...readActions, 'certificate-issue'];
const rotating: readonly string[] = rotatingActions;

/** Calls by which a secret is known. A list names its folder, not what is in it: the names are hashed. */
const knowing = [
  ...giving,
  'secret-write',
  'secret-patch',
  'secret-delete',
  'secret-undelete',
  'secret-destroy',
  'secret-metadata-read',
  'secret-metadata-write',
  'secret-metadata-patch',
  'secret-metadata-delete',
  'secret-subkeys-read',
];

/** Each token has a cubbyhole of its own under one path. */
const NOT_SHARED = 'cubbyhole';

export interface Call {
  at: string;
  event_id: string;
}

/** A secret and the last call of each action on it. */
export interface Seen {
  path: string;
  engine: string | undefined;
  first: string;
  last: string;
  reads: number;
  readers: Set<string>;
  lastRead: Call | undefined;
  lastRotated: Call | undefined;
  /** Last time of each action. */
  actions: Map<string, string>;
}

export interface Wanted {
  prefix?: string | undefined;
  engine?: string | undefined;
}

const succeeded: Clause<'events'>[] = [
  { field: 'event.outcome', op: 'eq', value: 'success' },
  { field: 'event.reason', op: 'exists', value: false },
];

/** The next `limit` paths after `after`, in the order of their bytes. */
export async function nextPaths(
  reader: EvidenceReader,
  { prefix, engine }: Wanted,
  after: string,
  limit: number,
): Promise<string[]> {
  const where: Clause<'events'>[] = [
    { field: 'vault.secret.path', op: 'after', value: after },
    { field: 'event.action', op: 'in', value: knowing },
    ...succeeded,
  ];
  if (prefix !== undefined) where.push({ field: 'vault.secret.path', op: 'prefix', value: prefix });
  if (engine !== undefined) where.push({ field: 'vault.secret.engine', op: 'eq', value: engine });
  const { groups } = await reader.group({ where, by: ['vault.secret.path'], collect: [], limit });
  return groups.map(({ by }) => by[0] ?? '');
}

/** What was seen of each of the paths, in their order. Too many callers for one answer of the store: half of the paths at a time. */
export async function seenAt(reader: EvidenceReader, paths: string[]): Promise<Seen[]> {
  const asked = [...new Set(paths.flatMap((path) => [path, rotationPath(path)]))];
  const { groups, complete } = await reader.group({
    where: [
      { field: 'vault.secret.path', op: 'in', value: asked },
      { field: 'event.action', op: 'in', value: [...knowing, 'credential-rotate'] },
      ...succeeded,
    ],
    by: ['vault.secret.path', 'vault.secret.engine', 'event.action', 'user.id'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  if (!complete && paths.length > 1) {
    const half = Math.ceil(paths.length / 2);
    return [...(await seenAt(reader, paths.slice(0, half))), ...(await seenAt(reader, paths.slice(half)))];
  }
  const secrets = new Map(paths.map((path) => [path, blank(path)]));
  const rotatedAs = new Map(paths.map((path) => [rotationPath(path), path]));
  for (const group of groups) {
    const path = group.by[0] ?? '';
    const secret = secrets.get(path) ?? secrets.get(rotatedAs.get(path) ?? '');
    if (secret !== undefined) add(secret, group);
  }
  return [...secrets.values()].filter(({ engine }) => engine !== NOT_SHARED);
}

const blank = (path: string): Seen => ({
  path,
  engine: undefined,
  first: '~',
  last: '',
  reads: 0,
  readers: new Set(),
  lastRead: undefined,
  lastRotated: undefined,
  actions: new Map(),
});

function add(secret: Seen, { by, n, first, last, last_id }: Group): void {
  const [, engine, action = '', user = ''] = by;
  secret.engine ??= engine;
  if (first < secret.first) secret.first = first;
  if (last > secret.last) secret.last = last;
  if (last > (secret.actions.get(action) ?? '')) secret.actions.set(action, last);
  const call = { at: last, event_id: last_id };
  if (rotating.includes(action)) secret.lastRotated = later(secret.lastRotated, call);
  if (!giving.includes(action)) return;
  secret.reads += n;
  secret.readers.add(user);
  secret.lastRead = later(secret.lastRead, call);
}

const later = (a: Call | undefined, b: Call): Call =>
  a === undefined || b.at + b.event_id > a.at + a.event_id ? b : a;
