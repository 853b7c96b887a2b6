// What a process without the API answers: whether it lives, whether it does its work, and its numbers.

import type { FastifyInstance } from 'fastify';
import { bareApp } from './bare-app.ts';
import type { ServiceOptions } from './options.ts';
import { addService } from './routes/service.ts';

/** The app with its three routes; whoever listens closes it. */
export function buildHealth(options: ServiceOptions): FastifyInstance {
  const app = bareApp(options);
  addService(app, options);
  return app as unknown as FastifyInstance;
}
