// POST /v1/alerts/{id}/triage and /v1/incidents/{id}/triage: what a person says of an alert; appended, never changed.

import { z } from 'zod';
import type { Alert } from '../../core/alert.ts';
import type { JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Triage } from '../../core/records.ts';
import { timeOfMs } from '../../core/time.ts';
import type { App } from '../bare-app.ts';
import { type Said, saidSchema, triageOf, triageSchema, unsaid } from '../incidents/triage.ts';
import type { ApiOptions } from '../options.ts';
import { ProblemError } from '../problem.ts';
import { problemsOfOne } from '../schemas.ts';

const config = { area: 'triage' } as const;
const params = z.object({ id: z.string() });
const kept = 'It is kept when the answer comes, and lasts; who said it is the name of the key.';

export function addTriage(app: App, options: ApiOptions): void {
  const { reader } = options;
  app.post(
    '/v1/alerts/:id/triage',
    {
      config,
      schema: {
        summary: 'Acknowledge, close or reopen an alert, with a verdict and a note',
        description: kept,
        params,
        body: saidSchema,
        response: { 201: triageSchema, ...problemsOfOne },
      },
    },
    async ({ params: { id }, body, apiKey }, reply) => {
      const alert = await reader.get('alerts', id);
      if (alert === undefined) throw new ProblemError('not-found', 'No such id among the alerts.');
      const [record] = await keep(options, [alert], body, apiKey?.name ?? '');
      return reply.code(201).send(record as Triage);
    },
  );
  app.post(
    '/v1/incidents/:id/triage',
    {
      config,
      schema: {
        summary: 'The same for all alerts of an incident: a record for each',
        description: `${kept} Alerts of which just this was said last are left as they are. At most ${limits.pageRowsMax} at a time: while \`complete\` is false, send it again for the rest. Alerts that come later are open.`,
        params,
        body: saidSchema,
        response: { 201: z.object({ recorded: z.int(), complete: z.boolean() }), ...problemsOfOne },
      },
    },
    async ({ params: { id }, body, apiKey }, reply) => {
      if ((await reader.get('incidents', id)) === undefined)
        throw new ProblemError('not-found', 'No such id among the incidents.');
      const { alerts, complete } = await unsaid(reader, id, body);
      const records = await keep(options, alerts, body, apiKey?.name ?? '');
      return reply.code(201).send({ recorded: records.length, complete });
    },
  );
}

/** Resolves when all is durable and, unless that takes long, shown. Throws the problem `unavailable`. */
async function keep(
  { reader, recorder, now, logger }: ApiOptions,
  alerts: Alert[],
  said: Said,
  by: string,
): Promise<Triage[]> {
  const at = timeOfMs(now().getTime());
  const records = alerts.map((alert) => triageOf(alert, said, by, at));
  try {
    await Promise.all(records.map((record) => recorder.record('triage', { ...record } as JsonObject)));
  } catch (error) {
    logger.error({ error: String(error) }, 'triage could not be kept');
    throw new ProblemError(
      'unavailable',
      'It could not be kept now; what was sent may still appear. Look, and send it again.',
    );
  }
  const last = records.at(-1);
  if (last !== undefined) await shown(reader, last.id);
  return records;
}

/** Waits until the store shows the record, for `limits.recordShownMs` at most: so that who asks next sees it. */
async function shown(reader: EvidenceReader, id: string): Promise<void> {
  const tries = limits.recordShownMs / LOOK_MS;
  for (let i = 0; i < tries && (await reader.get('triage', id)) === undefined; i++)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

const LOOK_MS = 50;
