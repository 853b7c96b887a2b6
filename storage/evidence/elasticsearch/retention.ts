// What is too old goes: whole indices of days, and of the rest the documents of whole days and hours.

import { ask, type Target } from './bulk.ts';
import { dayOfIndex, eventsPattern, indexName, otherIndex } from './names.ts';

/** Deletes what lies before the UTC day of `before`; returns how many events that were. */
export async function retainDays(target: Target, before: string): Promise<number> {
  const { prefix } = target.settings;
  const day = before.slice(0, 10);
  const midnight = `${day}T00:00:00.000000000Z`;
  let events = 0;
  for (const index of await eventIndices(target))
    if ((dayOfIndex(prefix, index) as string) < day) events += await deleteIndex(target, index);
    else if (index === otherIndex(prefix)) events += await deleteRows(target, index, 'ts', { lt: midnight });
  await deleteRows(target, indexName(prefix, 'rejects'), 'ts', { lt: midnight });
  // An hour goes only when all of it is older. Lines without a usable time (hour '') are counted for ever.
  for (const kind of ['coverage', 'nodes'] as const)
    await deleteRows(target, indexName(prefix, kind), 'hour', { gt: '', lt: midnight.slice(0, 13) });
  return events;
}

/** Names of the indices of days. */
export async function eventIndices({ client, settings }: Target): Promise<string[]> {
  const { prefix } = settings;
  const found = await ask({ client, settings }, () =>
    client.indices.get({ index: eventsPattern(prefix), filter_path: '*.settings.index.uuid' }),
  );
  return Object.keys(found).filter((index) => dayOfIndex(prefix, index) !== undefined);
}

/** Another process may delete it at the same time. */
async function deleteIndex(target: Target, index: string): Promise<number> {
  const { client } = target;
  return ask(target, async () => {
    await client.indices.refresh({ index, ignore_unavailable: true });
    const { count } = await client.count({ index, ignore_unavailable: true });
    await client.indices.delete({ index, ignore_unavailable: true });
    return count;
  });
}

/** How many rows that were. */
async function deleteRows(target: Target, index: string, column: string, range: object): Promise<number> {
  const query = { range: { [`row.${column}`]: range } };
  return ask(target, async () => {
    await target.client.indices.refresh({ index });
    const { deleted = 0 } = await target.client.deleteByQuery({
      ...{ index, query, refresh: true },
      conflicts: 'proceed',
    });
    return deleted;
  });
}
