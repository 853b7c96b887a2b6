// /v1/evidence: the controls that can be answered, and each answer in three formats. Every call is recorded, those of /v1/access too.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { timeOfMs } from '../../core/time.ts';
import type { ApiKey } from '../auth.ts';
import type { App } from '../bare-app.ts';
import * as cc61 from '../evidence/cc6_1.ts';
import { csvLines, jsonLines, type Part, parts } from '../evidence/formats.ts';
import { type Answer, answerSchema, definitionSchema } from '../evidence/schemas.ts';
import type { ApiOptions } from '../options.ts';
import { ProblemError } from '../problem.ts';
import { inOrder, listOf, problems, problemsOfOne, text, time, toNotAfterFrom } from '../schemas.ts';

/** The controls, by the name they have in the URL. */
const controls = new Map([[cc61.definition.control, cc61]]);

const formats = ['json', 'csv', 'jsonl'] as const;

declare module 'fastify' {
  interface FastifyRequest {
    /** Rows of the evidence that this call gives out, for the record of accesses. */
    evidenceRows?: number;
  }
}

export function addEvidence(app: App, options: ApiOptions): void {
  app.addHook('onSend', async (request, reply) => record(options, request, reply));
  const config = { area: 'evidence' } as const;
  app.get(
    '/v1/evidence',
    {
      config,
      schema: {
        summary: 'Controls that can be answered',
        response: { 200: listOf(definitionSchema), ...problems },
      },
    },
    async () => ({ items: [...controls.values()].map(({ definition }) => definition), next_cursor: null }),
  );
  const querystring = z
    .strictObject({
      from: time,
      to: time,
      secret_prefix: text.optional().meta({ description: 'only secrets whose path begins so' }),
      format: z.enum(formats).default('json'),
      rows: z
        .enum(parts)
        .optional()
        .meta({ description: 'which rows csv and jsonl hold; those of who did when it is not given' }),
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/evidence/:control',
    {
      config,
      schema: {
        summary: 'Evidence for one control and period',
        params: z.object({ control: z.string().meta({ examples: ['CC6.1'] }) }),
        querystring,
        response: {
          200: {
            description: 'The answer; in csv the rows alone, in jsonl the rest as the first line',
            content: {
              'application/json': { schema: answerSchema },
              'text/csv': { schema: z.string() },
              'application/x-ndjson': { schema: z.string() },
            },
          },
          ...problemsOfOne,
        },
      },
    },
    async (request, reply) => {
      const control = controls.get(request.params.control);
      if (control === undefined)
        throw new ProblemError('not-found', `Controls are: ${[...controls.keys()].join(', ')}.`);
      const { format, rows = 'did', ...asked } = request.query;
      const answer = await control.answer(options, asked, request.apiKey as ApiKey);
      request.evidenceRows = answer.totals.rows;
      return send(reply, answer, format, rows);
    },
  );
}

/** `sealwatch-complete` says for CSV, which has no room for it, whether anything is known to be missing. */
function send(
  reply: FastifyReply,
  answer: Answer,
  format: (typeof formats)[number],
  part: Part,
): FastifyReply {
  const complete = answer.complete && (part === 'did' || answer.access.complete);
  void reply.header('sealwatch-complete', String(complete));
  if (format === 'json') return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer));
  const day = (at: string) => at.slice(0, 10);
  const control = part === 'did' ? answer.control : `${answer.control}-${part}`;
  const name = `${control}_${day(answer.period.from)}_${day(answer.period.to)}.${format}`;
  void reply.header('content-disposition', `attachment; filename="${name}"`);
  return format === 'csv'
    ? reply.type('text/csv; charset=utf-8; header=present').send(Readable.from(csvLines(answer, part)))
    : reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(jsonLines(answer, part)));
}

/** Only these parameters are recorded: a key put into the query by mistake must not be. */
const recorded = ['from', 'to', 'secret_prefix', 'format', 'rows', 'path', 'at', 'namespace', 'cluster'];

/** Before the answer leaves, so that no evidence is given out unrecorded; refusals are recorded too. */
function record(options: ApiOptions, request: FastifyRequest, reply: FastifyReply): void {
  const { area } = request.routeOptions.config;
  if (area !== 'evidence' && area !== 'access') return;
  const query = request.query as Record<string, unknown>;
  try {
    options.recordAccess({
      at: timeOfMs(options.now().getTime()),
      key: request.apiKey?.name ?? null,
      role: request.apiKey?.role ?? null,
      control: (request.params as { control?: string }).control ?? null,
      query: Object.fromEntries(
        recorded.flatMap((name) => (name in query ? [[name, String(query[name])]] : [])),
      ),
      ip: request.ip,
      status: reply.statusCode,
      rows: reply.statusCode === 200 ? (request.evidenceRows ?? 0) : 0,
    });
  } catch (error) {
    request.log.error({ err: error }, 'a call for evidence could not be recorded');
    if (reply.statusCode < 400)
      throw new ProblemError(
        'unavailable',
        'The call cannot be recorded, so no evidence is given out. Make room in the data folder.',
      );
  }
}
