// What belongs together beyond one identity and day: the night's attack that goes on after midnight, and tokens with whoever made them.

import type { Incident } from '../../core/incident.ts';
import { incidentId } from '../../core/incident.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { addSeconds } from '../../core/time.ts';
import { chainOf } from '../credentials/chain.ts';
import { byToken } from '../credentials/find.ts';
import { afterTime } from '../time.ts';

export interface Neighbours {
  /** The incident of the day before, when this one goes on with it. */
  continues: string | null;
  /** The incident of the day after that goes on with this one. */
  continued_by: string | null;
}

const DAY_S = 86_400;

/** Looks at the days beside it only where the gap could be small enough. */
export async function neighboursOf(reader: EvidenceReader, incident: Incident): Promise<Neighbours> {
  const { subject, first_seen: first, last_seen: last } = incident;
  const day = `${first.slice(0, 10)}T00:00:00.000000000Z`;
  const gap = limits.incidentGapSeconds;
  const of = async (time: string, near: boolean) =>
    near ? await reader.get('incidents', incidentId(subject.id, time)) : undefined;
  const before = await of(addSeconds(day, -DAY_S), addSeconds(first, -gap) < day);
  const after = await of(addSeconds(day, DAY_S), addSeconds(last, gap) >= addSeconds(day, DAY_S));
  const joined = (from: Incident, to: Incident) => addSeconds(from.last_seen, gap) > to.first_seen;
  return {
    continues: before !== undefined && joined(before, incident) ? before.id : null,
    continued_by: after !== undefined && joined(incident, after) ? after.id : null,
  };
}

interface Maker {
  id: string;
  name: string | null;
}

export interface Story {
  /** Who the token began with, by the ledger; null for everybody else, and when it is not known. */
  made_by: Maker | null;
  related: { id: string; subject: string; risk: number; level: string; why: string }[];
}

/** Of a token its maker, and the maker's incident of the day; of anybody else those of the newest tokens that he made. */
export async function storyOf(reader: EvidenceReader, incident: Incident): Promise<Story> {
  const { subject } = incident;
  if (subject.what !== 'token') return { made_by: null, related: await ofTokensBy(reader, incident) };
  const maker = await makerOf(reader, subject.id);
  if (maker === undefined) return { made_by: null, related: [] };
  const why = `the token began with a login of ${maker.name ?? maker.id}`;
  return { made_by: maker, related: await incidentsOf(reader, incident, [maker.id], why) };
}

async function makerOf(reader: EvidenceReader, token: string): Promise<Maker | undefined> {
  for (const { credential } of (await byToken(reader, token)).matches) {
    const { login } = await chainOf(reader, credential);
    if (login !== null && login.user.id !== token) return login.user;
    const { requested_by: by } = credential;
    if (by !== undefined && by !== token) return { id: by, name: null };
  }
  return undefined;
}

async function ofTokensBy(reader: EvidenceReader, incident: Incident): Promise<Story['related']> {
  const { subject, last_seen: last } = incident;
  const { items } = await reader.find({
    kind: 'leases',
    to: afterTime(last),
    where: [
      { field: 'requested_by', op: 'eq', value: subject.id },
      { field: 'kind', op: 'eq', value: 'token' },
    ],
    order: 'desc',
    limit: limits.incidentRelatedMax,
  });
  const holders = items.map(({ holder_id: holder }: Lease) => holder).filter((id) => id !== undefined);
  return incidentsOf(reader, incident, holders, `${subject.name ?? subject.id} made the token`);
}

/** The incidents of other ids on the same day. */
async function incidentsOf(
  reader: EvidenceReader,
  incident: Incident,
  ids: string[],
  why: string,
): Promise<Story['related']> {
  const related: Story['related'] = [];
  for (const subject of new Set(ids)) {
    if (subject === incident.subject.id) continue;
    const found = await reader.get('incidents', incidentId(subject, incident.first_seen));
    if (found !== undefined)
      related.push({ id: found.id, subject, risk: found.risk, level: found.level, why });
  }
  return related;
}
