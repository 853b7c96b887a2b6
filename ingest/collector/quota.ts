// How much of what the inputs put on the spool retention has deleted: what is left counts against their quota.

import { limits } from '../../core/limits.ts';
import type { Stream } from '../../core/ports.ts';
import { type Tick, topics } from '../../core/records.ts';

/**
 * Bytes of each input that came before the oldest tick that is still there. Partitions begin at different times: the lowest
 * counts, so that an input is never thought to take less than it does.
 */
export async function deletedOf(stream: Stream): Promise<Record<string, number>> {
  const starts: Record<string, number>[] = [];
  for (let partition = 0; partition < stream.partitions; partition++)
    starts.push(await totalsAtStart(stream, partition));
  const ids = Object.keys(starts[0] ?? {});
  return Object.fromEntries(ids.map((id) => [id, Math.min(...starts.map((totals) => totals[id] ?? 0))]));
}

/** The totals in the oldest tick of a partition; none while nothing has been deleted. */
async function totalsAtStart(stream: Stream, partition: number): Promise<Record<string, number>> {
  const end = stream.end(topics.raw, partition);
  let offset = stream.start(topics.raw, partition);
  while (offset > 0 && offset < end) {
    const records = await stream.read(topics.raw, partition, offset, limits.readBytesMax);
    const tick = records.find(({ kind }) => kind === 'tick');
    if (tick !== undefined) return (tick.value as Tick).spooled ?? {};
    const last = records.at(-1);
    if (last === undefined) break;
    offset = last.offset + 1;
  }
  return {};
}
