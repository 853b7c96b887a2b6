// Who may call what: keys, roles, and the hook that checks both.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

export const roles = ['auditor', 'analyst', 'responder', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Parts of the API; each route belongs to one. */
const areas = [
  'evidence',
  'access',
  'coverage',
  'rules',
  'events',
  'alerts',
  'incidents',
  'changes',
  'triage',
  'leases',
  'identities',
  'secrets',
  'posture',
  'metrics',
] as const;
export type Area = (typeof areas)[number];

// An auditor traces evidence to its events, alerts and leases, sees what became of alerts and who changed the rules, what secrets there
// are and how they are kept; but needs no profile of a person (which blast-radius is, too) and no metrics, and says nothing of alerts.
export const mayRead: Record<Role, readonly Area[]> = {
  auditor: [
    'evidence',
    'access',
    'coverage',
    'rules',
    'events',
    'alerts',
    'incidents',
    'changes',
    'leases',
    'secrets',
    'posture',
  ],
  analyst: areas,
  responder: areas,
  admin: areas,
};

export interface ApiKey {
  name: string;
  role: Role;
  /** SHA-256 of the key; the key itself is not kept. */
  digest: Uint8Array;
}
export type KeyRing = readonly ApiKey[];

export const keyDigest = (key: string): Buffer => createHash('sha256').update(key).digest();

declare module 'fastify' {
  interface FastifyRequest {
    apiKey?: ApiKey;
  }
  interface FastifyContextConfig {
    area?: Area;
  }
}

/** Checks the key of each call to a route with an area; a route of the API proper without one is refused at the start. */
export function addAuth(app: FastifyInstance, keys: KeyRing): void {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.area === undefined && (url.startsWith('/v1') || url === '/metrics'))
      throw new Error(`the route ${url} names no area, so it would be open`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { area } = request.routeOptions.config;
    if (area !== undefined) authorise(request, reply, keys, area);
  });
}

function authorise(request: FastifyRequest, reply: FastifyReply, keys: KeyRing, area: Area): void {
  const key = findKey(keys, request.headers.authorization);
  if (key === undefined) {
    void reply.header('www-authenticate', 'Bearer realm="sealwatch"');
    throw new ProblemError('unauthorized', 'Send a key as `Authorization: Bearer KEY`.');
  }
  request.apiKey = key;
  if (!mayRead[key.role].includes(area))
    throw new ProblemError('forbidden', `The role ${key.role} has no right to ${area}.`);
}

/** Every key is compared, in constant time, so that the time taken tells nothing about the keys. */
function findKey(keys: KeyRing, header: string | undefined): ApiKey | undefined {
  const given = /^Bearer +([!-~]+)$/i.exec(header ?? '')?.[1];
  if (given === undefined) return undefined;
  const digest = keyDigest(given);
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key;
  return found;
}
