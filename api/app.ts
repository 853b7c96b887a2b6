// The HTTP API as a Fastify app without `listen`: tests use `inject`, the composition root listens.

import type { IncomingMessage, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawServerDefault,
} from 'fastify';
import {
  type FastifyPluginAsyncZod,
  jsonSchemaTransform,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { limits } from '../core/limits.ts';
import { addAuth } from './auth.ts';
import { addCallLog, addHeaders } from './headers.ts';
import type { ApiOptions } from './options.ts';
import { addProblems, problemOf, sendProblem } from './problem.ts';
import { addAccess } from './routes/access.ts';
import { addChanges } from './routes/changes.ts';
import { addCoverage } from './routes/coverage.ts';
import { addCredentials } from './routes/credentials.ts';
import { addEvidence } from './routes/evidence.ts';
import { addIdentities } from './routes/identities.ts';
import { addIncidents } from './routes/incidents.ts';
import { addLeases } from './routes/leases.ts';
import { addPosture } from './routes/posture.ts';
import { addAlerts, addEvents } from './routes/rows.ts';
import { addRules } from './routes/rules.ts';
import { addSecrets } from './routes/secrets.ts';
import { addService } from './routes/service.ts';
import { addTriage } from './routes/triage.ts';
import { addWanted } from './store.ts';
import { addWeb } from './web.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The app with all its routes; whoever listens closes it. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const app: App = fastify({
    loggerInstance: options.logger,
    // Fastify's own request log holds the URL with its query; ours (addCallLog) does not.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.apiBodyBytesMax,
    http: { maxHeaderSize: limits.apiHeaderBytesMax },
    requestTimeout: limits.apiRequestMs,
    routerOptions: { maxParamLength: limits.apiParamCharsMax },
    frameworkErrors: (error, request, reply) => sendProblem(reply, problemOf(error, request)),
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = limits.connectionsMax;
  app.setValidatorCompiler(validatorCompiler);
  // Rows leave as they are stored. Tests hold answers against the response schemas; here they only document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addProblems(app);
  addAuth(app, options.keys);
  addWanted(app);
  addHeaders(app);
  addCallLog(app);
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'sealwatch', version: options.version },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  });
  // After the plugin above, which writes down each route as it comes.
  const routes: FastifyPluginAsyncZod = async (inner) => addRoutes(inner, options);
  void app.register(routes);
  return app as unknown as FastifyInstance;
}

function addRoutes(app: App, options: ApiOptions): void {
  const { reader } = options;
  addEvents(app, reader);
  addAlerts(app, reader);
  addIncidents(app, reader);
  addTriage(app, options);
  addChanges(app, reader);
  addRules(app, options);
  addLeases(app, options);
  addCredentials(app, reader);
  addIdentities(app, options);
  addSecrets(app, options);
  addPosture(app, options);
  addCoverage(app, options);
  addEvidence(app, options);
  addAccess(app, options);
  addService(app, options);
  addWeb(app);
}
