// Health, readiness and metrics.

import { z } from 'zod';
import type { EvidenceReader } from '../../core/ports.ts';
import type { App } from '../bare-app.ts';
import type { ServiceOptions } from '../options.ts';
import { problems } from '../schemas.ts';
import { storeFaults } from '../store.ts';

/** With a `reader`, whether it answers belongs to being ready. */
export function addService(
  app: App,
  { ready, metrics, reader }: ServiceOptions & { reader?: EvidenceReader },
): void {
  const storeFault = reader === undefined ? async () => undefined : storeFaults(reader);
  const readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });
  app.get(
    '/healthz',
    {
      schema: {
        summary: 'The process answers',
        security: [],
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Whether sealwatch does its work, and if not why',
        security: [],
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_request, reply) => {
      const state = ready();
      const fault = await storeFault();
      const reasons = fault === undefined ? state.reasons : [...state.reasons, fault];
      const isReady = state.ready && fault === undefined;
      return reply.code(isReady ? 200 : 503).send({ ready: isReady, reasons });
    },
  );
  app.get(
    '/metrics',
    {
      config: { area: 'metrics' },
      schema: {
        summary: 'Prometheus metrics',
        produces: ['text/plain'],
        response: { 200: z.string(), ...problems },
      },
    },
    async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()),
  );
}
