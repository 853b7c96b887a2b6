// Security headers on every answer, and one log line a call that never holds a header, a query or a body.

import type { FastifyInstance } from 'fastify';

const always = {
  'content-security-policy':
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export function addHeaders(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    // The page's own files are looked at anew each time; everything else must not stay in any cache.
    const page = request.routeOptions.config.area === undefined && reply.statusCode === 200;
    void reply.headers({ ...always, 'cache-control': page ? 'no-cache' : 'no-store' });
  });
}

export function addCallLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        key: request.apiKey?.name,
      },
      'call',
    );
  });
}
