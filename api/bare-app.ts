// A Fastify app with what every answer of sealwatch has in common: bounds, keys, headers, problems, one log line a call.

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { limits } from '../core/limits.ts';
import { addAuth } from './auth.ts';
import { addCallLog, addHeaders } from './headers.ts';
import type { ServiceOptions } from './options.ts';
import { addProblems, problemOf, refuseUnread, sendProblem } from './problem.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export function bareApp({ keys, logger }: Pick<ServiceOptions, 'keys' | 'logger'>): App {
  const app: App = fastify({
    loggerInstance: logger,
    // Fastify's own request log holds the URL with its query; ours (addCallLog) does not.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.apiBodyBytesMax,
    http: { maxHeaderSize: limits.apiHeaderBytesMax },
    requestTimeout: limits.apiRequestMs,
    routerOptions: { maxParamLength: limits.apiParamCharsMax },
    clientErrorHandler: refuseUnread,
    frameworkErrors: (error, request, reply) => sendProblem(reply, problemOf(error, request)),
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = limits.connectionsMax;
  app.setValidatorCompiler(validatorCompiler);
  // Rows leave as they are stored. Tests hold answers against the response schemas; here they only document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addProblems(app);
  addAuth(app, keys);
  addHeaders(app);
  addCallLog(app);
  return app;
}
