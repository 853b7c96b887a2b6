// Offsets: of a time, of a partition's begin and end, and those that groups have committed.

import { byLeader, byTopic, type Connection, type TopicPlace } from './connection.ts';
import type { Broker } from './inside.ts';

const BEGIN = -2;
const END = -1;
const READ_UNCOMMITTED = 0;
const NO_GENERATION = -1;

export type At = 'start' | 'end' | number;

/** The offset of each partition at a time, or of the end when no message is as young; all of one broker. */
export async function listOffsets(
  broker: Broker,
  topic: string,
  partitions: readonly number[],
  at: At,
): Promise<Map<number, number>> {
  const timestamp = at === 'start' ? BEGIN : at === 'end' ? END : at;
  const ask = async (numbers: readonly number[], when: number) => {
    const { responses } = await broker.listOffsets({
      isolationLevel: READ_UNCOMMITTED,
      topics: [{ topic, partitions: numbers.map((partition) => ({ partition, timestamp: when })) }],
    });
    return responses.flatMap((response) => response.partitions);
  };
  const found = new Map((await ask(partitions, timestamp)).map((one) => [one.partition, Number(one.offset)]));
  const none = partitions.filter((partition) => (found.get(partition) ?? -1) < 0);
  if (none.length === 0) return found;
  for (const { partition, offset } of await ask(none, END)) found.set(partition, Number(offset));
  return found;
}

/** See `Link.offsets`. */
export const offsetsAt = (
  connection: Connection,
  topic: string,
  partitions: readonly number[],
  at: At,
): Promise<Map<number, number>> =>
  connection.trying([topic], async (cluster) => {
    const places = partitions.map((partition) => ({ topic, partition }));
    const maps = await Promise.all(
      (await byLeader(cluster, places)).map(([broker, group]) =>
        listOffsets(
          broker,
          topic,
          group.map(({ partition }) => partition),
          at,
        ),
      ),
    );
    return new Map(maps.flatMap((map) => [...map]));
  });

export const deleteBefore = (
  connection: Connection,
  { topic, partition }: TopicPlace,
  offset: number,
): Promise<void> =>
  connection.trying([topic], async (cluster) => {
    for (const [broker] of await byLeader(cluster, [{ topic, partition }]))
      await broker.deleteRecords({
        topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
      });
  });

export const commitOffsets = (
  connection: Connection,
  groupId: string,
  places: readonly (TopicPlace & { offset: number })[],
): Promise<void> =>
  connection.trying([], async (cluster) => {
    const broker = await cluster.findGroupCoordinator({ groupId });
    await broker.offsetCommit({
      groupId,
      groupGenerationId: NO_GENERATION,
      memberId: '',
      topics: byTopic(places).map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
      })),
    });
  });

export const committedOffset = (
  connection: Connection,
  groupId: string,
  topic: string,
  partition: number,
): Promise<number | undefined> =>
  connection.trying([], async (cluster) => {
    const broker = await cluster.findGroupCoordinator({ groupId });
    const { responses } = await broker.offsetFetch({
      groupId,
      topics: [{ topic, partitions: [{ partition }] }],
    });
    const offset = Number(responses[0]?.partitions[0]?.offset ?? -1);
    return offset < 0 ? undefined : offset;
  });
