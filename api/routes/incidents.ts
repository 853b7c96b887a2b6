// GET /v1/incidents: alerts gathered by identity and day, with a risk that adds up; one with its time line, alerts and story.

import { z } from 'zod';
import { levels } from '../../core/alert.ts';
import type { Incident } from '../../core/incident.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause } from '../../core/query.ts';
import type { App } from '../bare-app.ts';
import { type Neighbours, neighboursOf, storyOf } from '../incidents/story.ts';
import {
  type IncidentTriage,
  incidentTriage,
  statuses,
  statusQuery,
  withTriage,
} from '../incidents/triage.ts';
import { type Filters, listPage } from '../list.ts';
import { ProblemError } from '../problem.ts';
import {
  alertSchema,
  documented,
  inOrder,
  listOf,
  paging,
  period,
  problems,
  problemsOfOne,
  scanned,
  toNotAfterFrom,
} from '../schemas.ts';
import { searchPage } from '../search/page.ts';
import { filterText } from './rows.ts';

const filters = {
  user: { field: 'subject.id', op: 'eq' },
  level: { field: 'level', op: 'eq' },
} as const satisfies Filters<'incidents'>;

/** Alerts that the answer of one incident holds; `/v1/alerts?incident=` has the rest. */
const ALERTS_SHOWN = 200;

const level = z.enum(levels);
const fields = z.looseObject({
  id: z.string(),
  '@timestamp': z.string().meta({ description: 'of its last alert' }),
  subject: z.looseObject({ id: z.string(), name: z.string().optional(), what: z.string() }),
  first_seen: z.string(),
  last_seen: z.string(),
  level: level.meta({ description: 'of the worst alert; one above when rules and techniques add up' }),
  raised: z.string().optional().meta({ description: 'why it is above that of the worst alert' }),
  risk: z.int().meta({ description: 'the sum of `risk_parts`' }),
  risk_parts: z.array(z.object({ rule: z.string(), points: z.int(), text: z.string() })).meta({
    description:
      'for each rule its severity (10, 21, 47, 73, 99), and for each further alert of it half of what the one before gave: never twice the severity',
  }),
  alerts: z.int(),
  matches: z.int().meta({ description: 'calls that the rules matched, over all alerts' }),
  rules: z.array(z.looseObject({ id: z.string(), name: z.string(), level })),
  techniques: z.array(z.string()),
  addresses: z.array(z.string()),
  secrets: z.array(z.string()),
  timeline: z.array(z.looseObject({ at: z.string(), alert_id: z.string(), message: z.string() })),
  complete: z.boolean().meta({ description: 'false when it has more alerts than are told here' }),
  triage: z.object({
    status: z.enum(statuses),
    open: z.int(),
    acknowledged: z.int(),
    closed: z.int(),
  }),
  continues: z.string().nullable().meta({ description: 'incident of the day before that goes on here' }),
  continued_by: z.string().nullable(),
});

type Row = Incident & { triage: IncidentTriage } & Neighbours;
const incidentSchema = documented<Row>(fields, 'What one identity is suspected of on one UTC day');

const oneSchema = fields.extend({
  made_by: z
    .object({ id: z.string(), name: z.string().nullable() })
    .nullable()
    .meta({ description: 'of a token: who it began with, by the ledger' }),
  related: z.array(z.looseObject({ id: z.string(), subject: z.string(), why: z.string() })),
  alert_rows: z.array(alertSchema).meta({ description: `the first ${ALERTS_SHOWN}, with their triage` }),
  links: z.object({ identity: z.string(), blast_radius: z.string(), alerts: z.string() }),
});

export function addIncidents(app: App, reader: EvidenceReader): void {
  const config = { area: 'incidents' } as const;
  const querystring = z
    .strictObject({
      ...period,
      ...paging,
      level: level.optional(),
      min_risk: z.coerce.number().int().min(0).max(1e9).optional(),
      status: statusQuery,
      user: filterText.meta({ description: 'id of the subject, exact' }),
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/incidents',
    {
      config,
      schema: {
        summary: 'Alerts gathered by identity and day, with a risk that adds up',
        description: 'from and to: the time of the last alert',
        querystring,
        response: { 200: listOf(incidentSchema).extend({ scanned }), ...problems },
      },
    },
    async ({ query }) => {
      const page = await pageOf(reader, query);
      return { ...page, items: await joined(reader, page.items) };
    },
  );
  app.get(
    '/v1/incidents/:id',
    {
      config,
      schema: {
        summary: 'One incident, with its time line, alerts, triage and what belongs to it',
        params: z.object({ id: z.string() }),
        response: { 200: documented<object>(oneSchema, 'An incident, whole'), ...problemsOfOne },
      },
    },
    async ({ params: { id } }) => oneOf(reader, id),
  );
}

async function pageOf(
  reader: EvidenceReader,
  query: Parameters<typeof listPage>[2] & { min_risk?: number | undefined; status?: string | undefined },
) {
  const { min_risk: least, status } = query;
  // Risk is whole: at least 5 is over 4.
  const where: Clause<'incidents'>[] =
    least === undefined ? [] : [{ field: 'risk', op: 'over', value: least - 1 }];
  if (status === undefined) return listPage(reader, 'incidents', query, filters, { where });
  const keep = async (rows: Incident[]) => {
    const triage = await incidentTriage(reader, rows);
    return rows.map(({ id }) => triage.get(id)?.status === status);
  };
  return searchPage(reader, 'incidents', query, filters, { where, keep });
}

async function joined(reader: EvidenceReader, incidents: Incident[]): Promise<Row[]> {
  const triage = await incidentTriage(reader, incidents);
  const rows: Row[] = [];
  for (const incident of incidents)
    rows.push({
      ...incident,
      triage: triage.get(incident.id) as IncidentTriage,
      ...(await neighboursOf(reader, incident)),
    });
  return rows;
}

async function oneOf(reader: EvidenceReader, id: string) {
  const incident = await reader.get('incidents', id);
  if (incident === undefined) throw new ProblemError('not-found', 'No such id among the incidents.');
  const [row] = await joined(reader, [incident]);
  const alerts = await alertsOf(reader, id, ALERTS_SHOWN);
  return {
    ...row,
    ...(await storyOf(reader, incident)),
    alert_rows: await withTriage(reader, alerts),
    links: linksOf(incident),
  };
}

/** In order of time. */
async function alertsOf(reader: EvidenceReader, incident: string, limit: number) {
  const { items } = await reader.find({
    kind: 'alerts',
    where: [{ field: 'incident.id', op: 'eq', value: incident }],
    order: 'asc',
    limit,
  });
  return items;
}

function linksOf({ id, subject }: Incident) {
  const identity = `/v1/identities/${encodeURIComponent(subject.id)}`;
  return {
    identity,
    blast_radius: `${identity}/blast-radius`,
    alerts: `/v1/alerts?incident=${encodeURIComponent(id)}`,
  };
}
