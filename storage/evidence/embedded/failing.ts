// What SQLite says when the file or its disk is the cause, in words for whoever can mend it.

import { SealwatchError } from '../../../core/errors.ts';
import type { EvidenceReader } from '../../../core/ports.ts';

/** A mistake in a statement: ours. */
const SQLITE_ERROR = 1;

/** The answer of `work`. Throws SealwatchError DATA_DIR_UNUSABLE when the store at `path` cannot be read now. */
async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, errcode, message } = error as { code?: string; errcode?: number; message: string };
    // Of rows that cannot be read the package for Node 20 tells no number.
    const isOurs = errcode !== undefined && (errcode & 0xff) === SQLITE_ERROR;
    if (code !== 'ERR_SQLITE_ERROR' || isOurs) throw error;
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `cannot read the evidence store ${path} (${message})`,
      'Check free space, rights and that no backup holds it.',
      { cause: error },
    );
  }
}

/** The same reader of the file at `path`, with such errors. */
export const mendableReader = (path: string, reader: EvidenceReader): EvidenceReader => ({
  find: (query) => reading(path, () => reader.find(query)),
  get: (kind, id) => reading(path, () => reader.get(kind, id)),
  getAll: (kind, ids) => reading(path, () => reader.getAll(kind, ids)),
  group: (options) => reading(path, () => reader.group(options)),
  count: (kind, options) => reading(path, () => reader.count(kind, options)),
  coverage: (from, to) => reading(path, () => reader.coverage(from, to)),
  nodes: (from, to) => reading(path, () => reader.nodes(from, to)),
  sameHashes: (hash) => reading(path, () => reader.sameHashes(hash)),
  extent: () => reading(path, () => reader.extent()),
  [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
});
