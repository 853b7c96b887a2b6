// One writer's hold on the log of a memory: it appends commits, sees who else writes, and lets go as soon as another owns it.

import { limits } from '../../core/limits.ts';
import type { Link, Message } from '../stream/kafka/link.ts';
import type { ReplicaFile } from './file.ts';
import { readLog } from './read.ts';
import { type Manifest, manifestMessage, type Origin, readMessage, rowMessages } from './wire.ts';

/** Another process has taken the memory over: what this one has not committed is not its to commit any more. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver';
}

export interface MemoryLogOptions {
  link: Link;
  topic: string;
  file: ReplicaFile;
  writer: string;
  /** Of the claim. */
  owned: number;
  /** What the log stood at when it was claimed. */
  log: Pick<Manifest, 'begin' | 'commit' | 'log'>;
  now: () => number;
}

export class MemoryLog {
  private readonly options: MemoryLogOptions;
  private commit: number;
  private mended: number | undefined;
  /** Offset that the next message gets when nobody else writes. */
  private next: number;
  private isOver = false;

  constructor(options: MemoryLogOptions) {
    this.options = options;
    this.commit = options.log.commit;
    this.next = options.owned + 1;
  }

  /**
   * Inside the file's transaction, before its commit: what changed goes onto the log, the manifest last, and the file says which
   * commit it stands for. After a rejection the transaction must not be committed, and this log is of no use any more.
   * @param besides goes with the manifest, or not at all
   */
  async send(besides: readonly Message[] = []): Promise<void> {
    if (this.isOver) throw new Error('this hold on the memory has ended: it is opened anew');
    this.isOver = true;
    const { file, writer, owned, log, now } = this.options;
    const commit = this.commit + 1;
    const of = { writer, commit };
    let rest = await this.sendChanged(of);
    if (this.mended === undefined) {
      for (; rest.length > 0; rest = await this.sendChanged(of)) await this.append(rest);
      this.mended = this.next;
    }
    const { mended } = this;
    const at = this.next + rest.length;
    const manifest: Manifest = { log: log.log, commit, owned, at, mended, begin: log.begin };
    const first = await this.append([...rest, manifestMessage(writer, manifest), ...besides]);
    file.setStandsFor({ writer, offset: first + rest.length, manifest, savedMs: now() });
    this.commit = commit;
    this.isOver = false;
  }

  /** What changed goes onto the log, but for the last of it, which is returned: one message less to wait for. */
  private async sendChanged(of: Pick<Origin, 'commit' | 'writer'>): Promise<Message[]> {
    const { file } = this.options;
    let chunk: Message[] = [];
    let bytes = 0;
    for (let rows = file.takeChanged(); rows.length > 0; rows = file.takeChanged()) {
      for (const row of rows) {
        // It came and went between two commits.
        if (row.payload === undefined && row.before === 0) continue;
        for (const message of rowMessages(row, row.payload, row.before, { ...of, existed: row.existed })) {
          if (bytes >= limits.memoryChunkBytesMax) {
            await this.append(chunk);
            chunk = [];
            bytes = 0;
          }
          chunk.push(message);
          bytes += sizeOf(message);
        }
      }
    }
    return chunk;
  }

  /** Returns the offset of the first. */
  private async append(messages: readonly Message[]): Promise<number> {
    const { link, topic } = this.options;
    const [place] = await link.produce([{ topic, partition: 0, messages }]);
    if (place === undefined) throw new Error('a produce without an answer');
    // The topic was made anew, or a broker has forgotten its end: rows that were committed are no longer there.
    if (place.offset < this.next)
      throw new Error(`${topic} ended at ${place.offset}, and ${this.next} was written to it`);
    if (place.offset > this.next) await this.look(place.offset);
    this.next = place.offset + messages.length;
    return place.offset;
  }

  /** Others have written between our messages. */
  private async look(to: number): Promise<void> {
    const { link, topic, file, writer } = this.options;
    const { commit } = this;
    for await (const message of readLog({ link, topic }, this.next, to - 1)) {
      const entry = readMessage(message);
      if (entry === undefined) continue;
      if (entry.kind === 'owner' && entry.writer !== writer)
        throw new TakenOver('another process has taken the memory over');
      // A broker may have taken a commit before of ours twice, the second time late.
      const isOurs = entry.kind === 'part' && entry.origin.writer === writer && entry.origin.commit > commit;
      if (entry.kind === 'part' && !isOurs && file.knows(entry.table))
        file.touch(entry.table, entry.name, entry.part, false);
    }
  }
}

const sizeOf = ({ key, value }: Message): number => (key?.length ?? 0) + (value?.length ?? 0) + MESSAGE_BYTES;

/** What headers and framing of a message take, about. */
const MESSAGE_BYTES = 100;
