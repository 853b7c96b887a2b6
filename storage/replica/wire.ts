// A memory's log as messages of a compacted topic: one for each value that changed, the owner's claim, and the manifest that makes
// a commit whole. Keys are JSON, so that a person can read the topic.

import { createHash } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { Message } from '../stream/kafka/link.ts';

/** A row of a table of the memory; both texts are empty where the table has no such column. */
export interface RowKey {
  table: string;
  a: string;
  b: string;
}

/** Whose commit a value belongs to. */
export interface Origin {
  writer: string;
  /** Counts up with each commit of the log. */
  commit: number;
  /** The row was there at the commit before: whoever undoes the change must find its value. */
  existed: boolean;
}

/** What makes everything that its writer has written before it count. */
export interface Manifest {
  /** Name of the log's life: a log that was begun anew has another one. */
  log: string;
  commit: number;
  /** Offset of the writer's claim. */
  owned: number;
  /** It lies here or, where others have written between, behind it: a log that has lost its end holds it before. */
  at: number;
  /** Before this offset each key's last value counts, whoever wrote it: this writer has mended what should not have. */
  mended: number;
  /** What lies before this offset is of another life of the log. */
  begin: number;
}

export type Entry =
  | { kind: 'owner'; writer: string }
  | { kind: 'manifest'; writer: string; manifest: Manifest }
  | {
      kind: 'part';
      origin: Origin;
      table: string;
      name: string;
      part: number;
      /** Number of parts that the row has from here on; 0: it went away. */
      parts: number;
      /** null: behind the last part. */
      bytes: Buffer | null;
    };

const text = (value: string | number) => Buffer.from(String(value));

export const ownerMessage = (writer: string): Message => ({
  key: text(JSON.stringify(['owner', writer])),
  value: text('{}'),
  headers: {},
});

export const manifestMessage = (writer: string, manifest: Manifest): Message => ({
  key: text(JSON.stringify(['manifest', writer])),
  value: text(JSON.stringify(manifest)),
  headers: {},
});

/** A compacted topic forgets these of a writer. */
export const forgetWriter = (writer: string): Message[] =>
  ['owner', 'manifest'].map((kind) => ({
    key: text(JSON.stringify([kind, writer])),
    value: null,
    headers: {},
  }));

/** What a row is called in the log: its key as JSON, or the hash of that: a message must not grow with what an attacker names. */
export function nameOf({ a, b }: RowKey): { name: string; isLong: boolean } {
  const name = JSON.stringify([a, b]);
  if (name.length <= limits.memoryNameCharsMax) return { name, isLong: false };
  return { name: JSON.stringify([createHash('sha256').update(name).digest('hex')]), isLong: true };
}

/** A value as it is cut into parts. The key that its name does not tell stands before it; no newline stands raw in JSON. */
export const payloadOf = (key: RowKey, value: string): Buffer =>
  Buffer.from(nameOf(key).isLong ? `${JSON.stringify([key.a, key.b])}\n${value}` : value);

/** Parts that a value of `bytes` bytes is cut into. */
export const partsOf = (key: RowKey, bytes: number): number => {
  const { isLong } = nameOf(key);
  return Math.max(
    1,
    Math.ceil(
      (bytes + (isLong ? Buffer.byteLength(JSON.stringify([key.a, key.b])) + 1 : 0)) /
        limits.memoryPartBytesMax,
    ),
  );
};

/**
 * The messages of a row: its parts, and nothing where parts of the version before may lie.
 * @param payload undefined: it goes away
 * @param before parts that versions before may have
 */
export function rowMessages(
  { table, name }: { table: string; name: string },
  payload: Buffer | undefined,
  before: number,
  origin: Origin,
): Message[] {
  const partMax = limits.memoryPartBytesMax;
  const parts =
    payload === undefined ? 0 : Math.max(1, Math.ceil(payload.length / limits.memoryPartBytesMax));
  const headers = {
    w: text(origin.writer),
    n: text(origin.commit),
    p: text(parts),
    e: text(origin.existed ? 1 : 0),
  };
  return Array.from({ length: Math.max(parts, before, 1) }, (_, part) => ({
    key: text(JSON.stringify([table, name, part])),
    value: part < parts ? (payload as Buffer).subarray(part * partMax, (part + 1) * partMax) : null,
    headers,
  }));
}

/** The key and the value that all parts of a row come to. */
export function readPayload(table: string, name: string, payload: Buffer): { key: RowKey; value: string } {
  const known = keyOf(table, name);
  if (known !== undefined) return { key: known, value: payload.toString() };
  const end = payload.indexOf(NEWLINE);
  const [a, b] = JSON.parse(payload.subarray(0, end).toString()) as [string, string];
  return { key: { table, a, b }, value: payload.subarray(end + 1).toString() };
}

/** Undefined for a row whose name is a hash. */
export function keyOf(table: string, name: string): RowKey | undefined {
  const names = JSON.parse(name) as string[];
  return names.length === 2 ? { table, a: names[0] as string, b: names[1] as string } : undefined;
}

/** Undefined: nothing of ours. */
export function readMessage({ key, value, headers }: Message): Entry | undefined {
  const [kind, name, part] = parsed(key);
  if (typeof kind !== 'string' || typeof name !== 'string') return undefined;
  if (kind === 'owner') return value === null ? undefined : { kind, writer: name };
  if (kind === 'manifest')
    return value === null
      ? undefined
      : { kind, writer: name, manifest: JSON.parse(value.toString()) as Manifest };
  const { w, n, p, e } = headers;
  // What is not as this writes it is not of a memory.
  if (typeof part !== 'number' || w === undefined || n === undefined || p === undefined) return undefined;
  const origin = { writer: w.toString(), commit: Number(n), existed: e?.toString() === '1' };
  return { kind: 'part', origin, table: kind, name, part, parts: Number(p), bytes: value };
}

const NEWLINE = 10;

function parsed(bytes: Buffer | null): unknown[] {
  if (bytes === null) return [];
  try {
    const value = JSON.parse(bytes.toString()) as unknown;
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
