// Takes a memory over: claims its log, brings the file of this disk to the last commit that counts (or builds it anew), and
// mends what came behind it.

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/telemetry.ts';
import { type Layout, openLasting } from '../lasting.ts';
import type { Database } from '../sqlite.ts';
import type { Link } from '../stream/kafka/link.ts';
import { ReplicaFile, type StandsFor } from './file.ts';
import { MemoryLog, TakenOver } from './log.ts';
import { Marks } from './marks.ts';
import { Parts } from './parts.ts';
import { readLog } from './read.ts';
import { replicaTables, type Table } from './tables.ts';
import { forgetWriter, type Manifest, ownerMessage, readMessage } from './wire.ts';

export interface ReplicaOptions {
  link: Link;
  /** In full, with the configured prefix. */
  topic: string;
  /** A file of this log alone: it is made anew when it cannot be trusted. */
  path: string;
  /** Asked before the memory is claimed: whether it is this process's to have. */
  isOurs: () => boolean;
  logger: Pick<Logger, 'warn'>;
  now: () => number;
}

/** A memory's file, and its log in our hands. */
export interface Replica {
  database: Database;
  log: MemoryLog;
}

/**
 * Whoever had the memory before cannot commit to it any more.
 * Throws TakenOver when it is another's, SealwatchError DATA_DIR_UNUSABLE, and what the link throws.
 */
export async function openReplica(
  options: ReplicaOptions,
  layout: Layout,
  tables: readonly Table[],
): Promise<Replica> {
  const { link, topic, isOurs, logger, now } = options;
  const writer = randomBytes(8).toString('hex');
  if (!isOurs()) throw new TakenOver('the memory is for another process to have');
  const [claim] = await link.produce([{ topic, partition: 0, messages: [ownerMessage(writer)] }]);
  if (claim === undefined) throw new Error('a produce without an answer');
  const owned = claim.offset;
  const opening = new Opening(options, layout, tables, owned);
  try {
    const marks = await opening.catchUp();
    const { file } = opening;
    if (opening.isDamaged || file.isMissingRows) {
      logger.warn({ topic }, 'the log of a memory has lost what was committed to it; the memory begins anew');
      opening.beginAnew();
    }
    const last = opening.hasBegunAnew ? undefined : marks.last;
    const log: Pick<Manifest, 'begin' | 'commit' | 'log'> = last?.manifest ?? {
      log: writer,
      commit: marks.last?.manifest.commit ?? 0,
      begin: owned,
    };
    const hold = new MemoryLog({ link, topic, file: opening.file, writer, owned, log, now });
    await hold.send([...marks.writers].flatMap(forgetWriter));
    opening.commit();
    opening.file.noteChanges();
    return { database: opening.file.database, log: hold };
  } catch (error) {
    opening.close();
    throw error;
  }
}

class Opening {
  file: ReplicaFile;
  hasBegunAnew = false;
  /** What was read of the log has a stretch that cannot be read. */
  isDamaged = false;
  private readonly options: ReplicaOptions;
  private readonly layout: Layout;
  private readonly tables: readonly Table[];
  private readonly owned: number;
  private isNew = false;
  private inTransaction = 0;

  constructor(options: ReplicaOptions, layout: Layout, tables: readonly Table[], owned: number) {
    this.options = options;
    this.layout = { ...layout, tables: layout.tables + replicaTables };
    this.tables = tables;
    this.owned = owned;
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
    this.file = this.openFile();
  }

  private openFile(): ReplicaFile {
    const { path } = this.options;
    try {
      return new ReplicaFile(openLasting(path, this.layout), this.tables);
    } catch (error) {
      if (!(error instanceof SealwatchError && error.code === 'DATA_DIR_OTHER_LAYOUT')) throw error;
      remove(path);
      return new ReplicaFile(openLasting(path, this.layout), this.tables);
    }
  }

  beginAnew(): void {
    this.renew();
    this.hasBegunAnew = true;
    this.begin();
  }

  private renew(): void {
    this.close();
    remove(this.options.path);
    this.file = this.openFile();
    this.isNew = true;
  }

  /** Afterwards a transaction is open that brings the file to the last commit, and knows what is to be mended. */
  async catchUp(): Promise<Marks> {
    const before = this.trusted();
    if (before === undefined) this.renew();
    let marks = await this.readMarks(before);
    let from = before === undefined ? undefined : before.offset + 1;
    if (before !== undefined && !continues(before, marks)) {
      this.renew();
      marks = await this.readMarks(undefined);
      from = undefined;
    }
    this.begin();
    await this.apply(marks, from ?? (await this.start()));
    return marks;
  }

  /** What the file stands for, when what it does not have can still be found in the log. */
  private trusted(): StandsFor | undefined {
    const { standsFor } = this.file;
    if (standsFor === undefined || standsFor.offset >= this.owned) return undefined;
    const ageMs = this.options.now() - standsFor.savedMs;
    return ageMs >= 0 && ageMs < limits.memoryFileMsMax ? standsFor : undefined;
  }

  private async readMarks(before: StandsFor | undefined): Promise<Marks> {
    const marks = new Marks(before);
    const from = before?.offset ?? (await this.start());
    for await (const message of readLog(this.options, from, this.owned - 1)) marks.read(message);
    return marks;
  }

  private async start(): Promise<number> {
    const { link, topic } = this.options;
    return (await link.offsets(topic, [0], 'start')).get(0) ?? 0;
  }

  private async apply(marks: Marks, from: number): Promise<void> {
    const { file, isNew } = this;
    const { last } = marks;
    if (last === undefined) return;
    const parts = new Parts();
    for await (const message of readLog(this.options, from, this.owned - 1)) {
      const { offset, key } = message;
      if (offset < last.manifest.begin) continue;
      // Kafka takes nothing without a key here: this stands for a batch that is damaged.
      if (key === null) this.isDamaged = true;
      const entry = readMessage(message);
      if (entry?.kind !== 'part' || !this.file.knows(entry.table)) continue;
      const { table, name, part, origin } = entry;
      if (marks.counts(origin, offset)) {
        const payload = parts.add(entry);
        if (payload !== undefined) file.take(table, name, payload ?? undefined);
        if (isNew) this.pause();
      } else {
        const isTorn = offset > last.offset && marks.owned(origin.writer, offset);
        file.touch(table, name, part, isNew && isTorn && origin.existed);
      }
    }
  }

  private begin(): void {
    this.file.database.exec('begin immediate');
    this.inTransaction = 1;
  }

  /** A new file is nobody's yet: it need not come to be at once. */
  private pause(): void {
    if (this.inTransaction++ < limits.memoryBuildRowsMax) return;
    this.commit();
    this.begin();
  }

  commit(): void {
    this.file.database.exec('commit');
    this.inTransaction = 0;
  }

  close(): void {
    const { database } = this.file;
    try {
      if (this.inTransaction > 0) database.exec('rollback');
    } catch {
      // On a full disk SQLite has rolled back by itself.
    }
    this.inTransaction = 0;
    database.close();
  }
}

/** The log goes on from where the file stands. */
const continues = ({ manifest }: StandsFor, { last }: Marks): boolean =>
  last !== undefined && last.manifest.log === manifest.log && last.manifest.commit >= manifest.commit;

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}
