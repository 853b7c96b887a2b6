// The HTTP API as a Fastify app without `listen`: tests use `inject`, the composition root listens.

import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { type FastifyPluginAsyncZod, jsonSchemaTransform } from 'fastify-type-provider-zod';
import { type App, bareApp } from './bare-app.ts';
import type { ApiOptions } from './options.ts';
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

/** The app with all its routes; whoever listens closes it. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const app = bareApp(options);
  addWanted(app);
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
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  addWeb(app);
}
