// One call in two indices of days: a half that went out alone may stand on the other side of midnight than the whole.
// Whoever writes looks at the other side afterwards, and the lower of two goes: so at least one of two writers sees both.

import type { AuditEvent } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { doneAt } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import { ask, bulk, type Operation, type Target } from './bulk.ts';
import { foundOf } from './client.ts';
import { documentId } from './names.ts';
import type { DayWindow } from './window.ts';

/** A place where a revision of a call is or may be. */
interface Stand {
  index: string;
  revision: number;
  whole: boolean;
  time: string;
}

/** Deletes what stands on the wrong side of midnight, of the events that have just been written. */
export async function settleDays(
  target: Target,
  events: EvidenceBatch['events'],
  window: DayWindow,
): Promise<void> {
  const looks = events.flatMap(({ event }) => {
    const time = event['@timestamp'];
    const own = window.indexOf(time);
    const others = new Set(otherTimes(event).map((other) => window.indexOf(other)));
    const besides = window.besides(time);
    if (besides !== undefined) others.add(besides);
    others.delete(own);
    return [...others].map((index) => ({ event, own, index }));
  });
  for (let i = 0; i < looks.length; i += LOOKS_AT_ONCE) {
    const part = looks.slice(i, i + LOOKS_AT_ONCE);
    const stands = await standsOf(
      target,
      part.map(({ event, index }) => ({ index, id: event.event.id })),
    );
    const gone = part.flatMap(({ event, own }, j) => loserOf(stands[j], standOf(event, own), event.event.id));
    if (gone.length > 0) await bulk(target, gone);
  }
}

/** Documents that are asked for at a time. */
const LOOKS_AT_ONCE = 1_000;

/** Times at which other revisions of the call may stand. */
function otherTimes(event: AuditEvent): string[] {
  const time = event['@timestamp'];
  if (isFarFromMidnight(event)) return [];
  const around = [addSeconds(time, -limits.daySlackSeconds), addSeconds(time, limits.daySlackSeconds)];
  // A half that has only the answer does not know when the call began.
  if (event.vault.pair === 'response_only') return [...around, addSeconds(time, -86_400)];
  return [...around, doneAt(event)];
}

const HOUR_NANOS = 3.6e12;

/** Of nearly all events, told without a date: in the middle of the day, and answered within the hour. */
const isFarFromMidnight = ({
  '@timestamp': time,
  event: { duration = 0 },
  vault: { pair },
}: AuditEvent): boolean =>
  pair !== 'response_only' && duration < HOUR_NANOS && !['23', '00'].includes(time.slice(11, 13));

const standOf = ({ '@timestamp': time, vault }: AuditEvent, index: string): Stand => ({
  ...{ index, time },
  ...{ revision: vault.revision, whole: vault.pair === 'both' },
});

/** The one that goes: the lower revision; of two the same the half, then the later. The same to all who look. */
function loserOf(other: Stand | undefined, own: Stand, id: string): Operation[] {
  if (other === undefined) return [];
  const { index, revision } = losesTo(other, own) ? other : own;
  return [{ does: 'delete', index, id: documentId(id), version: revision }];
}

function losesTo(a: Stand, b: Stand): boolean {
  if (a.revision !== b.revision) return a.revision < b.revision;
  if (a.whole !== b.whole) return b.whole;
  return a.time > b.time;
}

/** What stands there now, whether it can be searched yet or not. */
async function standsOf(
  target: Target,
  places: { index: string; id: string }[],
): Promise<(Stand | undefined)[]> {
  const stored = await ask(target, async () => {
    const { docs } = await target.client.mget<{ row: { ts: string; revision: number; pair: string } }>({
      docs: places.map(({ index, id }) => ({ _index: index, _id: documentId(id) })),
      _source_includes: ['row.ts', 'row.revision', 'row.pair'],
    });
    return foundOf(docs);
  });
  return stored.map((doc, i) => {
    if (doc?._source === undefined) return undefined;
    const { ts, revision, pair } = doc._source.row;
    return { index: (places[i] as { index: string }).index, time: ts, revision, whole: pair === 'both' };
  });
}
