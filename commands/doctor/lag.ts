// How far each reader of the stream is behind, and which has never told.

import type { Config } from '../../core/config.ts';
import { topics } from '../../core/records.ts';
import type { Link } from '../../storage/stream/kafka/link.ts';
import { readersOf, retained } from '../run/stages/readers.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Records behind which a reader is worth a word: minutes of work. */
const LAG_RECORDS = 100_000;

interface Lag {
  reader: string;
  /** Undefined: it has never told how far it is, so nothing is deleted that it may need. */
  records: number | undefined;
}

export async function checkLag(link: Link, { kafka: { prefix }, partitions }: Config): Promise<Finding[]> {
  const lags = new Map<string, Lag>();
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  for (const topic of retained) {
    const ends = await link.offsets(prefix + topic, numbers, 'end');
    for (const partition of numbers)
      for (const reader of readersOf(topic, partition, partitions)) {
        const at = await link.committed(`${prefix}sealwatch.${reader}`, prefix + topic, partition);
        const before = lags.get(reader);
        const records = at === undefined ? undefined : Math.max(0, (ends.get(partition) ?? 0) - at);
        const isKnown = records !== undefined && (before === undefined || before.records !== undefined);
        lags.set(reader, { reader, records: isKnown ? (before?.records ?? 0) + records : undefined });
      }
  }
  return findingsOfLag([...lags.values()], await isFresh(link, prefix, numbers));
}

/** Nothing was ever collected: that nobody has read is no fault. */
async function isFresh(link: Link, prefix: string, partitions: readonly number[]): Promise<boolean> {
  const ends = await link.offsets(prefix + topics.raw, partitions, 'end');
  return [...ends.values()].every((end) => end === 0);
}

export function findingsOfLag(lags: readonly Lag[], isFreshStream: boolean): Finding[] {
  if (isFreshStream) return [ok('nothing was collected into Kafka yet')];
  const silent = lags.filter(({ records }) => records === undefined).map(({ reader }) => reader);
  const late = lags.filter(({ records = 0 }) => records > LAG_RECORDS);
  const most = Math.max(0, ...lags.map(({ records = 0 }) => records));
  return [
    ...(silent.length === 0
      ? []
      : [
          warn(
            `never told how far they are: ${silent.join(', ')}; until then nothing is deleted that they may need`,
            'Start their stages (the name begins with it); of a stage that runs, look at its log.',
          ),
        ]),
    ...(late.length > 0
      ? late.map(({ reader, records }) =>
          warn(
            `${reader} is ${records} records behind`,
            'Start another process of its stage, up to one for each partition; of the ledger there is only one.',
          ),
        )
      : [ok(`no reader is more than ${most} records behind`)]),
  ];
}
