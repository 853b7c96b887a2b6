// The memory of one partition's detector, on SQLite.

import { limits } from '../../core/limits.ts';
import { type Layout, openLasting, openPassing } from '../lasting.ts';
import { NotesMemory, notesAndPlace, notesTables } from '../memory.ts';
import { openReplica, type ReplicaOptions } from '../replica/open.ts';

const layout: Layout = {
  name: "the detector's memory",
  version: 1,
  cacheBytes: limits.detectorPageCacheBytes,
  tables: notesTables,
};

/** Opens or makes the memory at `path` (a file). Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
export const openDetectorMemory = (path: string): NotesMemory => new NotesMemory(openLasting(path, layout));

/** The same with a log on Kafka. Throws as `openReplica` does. */
export async function openReplicatedDetector(options: ReplicaOptions): Promise<NotesMemory> {
  const { database, log } = await openReplica(options, layout, notesAndPlace);
  return new NotesMemory(database, log);
}

/** A memory that nothing is left of; until then it lies at `path`. */
export const temporaryDetectorMemory = (path: string): NotesMemory =>
  new NotesMemory(openPassing(path, layout));
