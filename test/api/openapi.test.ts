// The API description: OpenAPI 3.1, every route in it, every query parameter and answer described.

import { expect, test } from 'vitest';
import { Harness } from './harness.ts';

const routes = [
  '/healthz',
  '/metrics',
  '/readyz',
  '/v1/access',
  '/v1/alerts',
  '/v1/alerts/{id}',
  '/v1/alerts/{id}/triage',
  '/v1/changes',
  '/v1/coverage',
  '/v1/credentials',
  '/v1/events',
  '/v1/events/{id}',
  '/v1/evidence',
  '/v1/evidence/{control}',
  '/v1/identities/{id}',
  '/v1/identities/{id}/blast-radius',
  '/v1/incidents',
  '/v1/incidents/{id}',
  '/v1/incidents/{id}/triage',
  '/v1/leases',
  '/v1/leases/lifetimes',
  '/v1/leases/{id}',
  '/v1/posture',
  '/v1/rules',
  '/v1/secrets',
];

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}

test('lists all routes, their parameters and their answers', async () => {
  await using harness = await Harness.open();
  const document = (await harness.app.inject('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths).sort()).toEqual(routes);
  for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths)) {
    const method = path.endsWith('/triage') ? 'post' : 'get';
    expect([path, Object.keys(methods)]).toEqual([path, [method]]);
    const { summary, responses, parameters = [] } = methods[method] as Operation;
    expect([path, typeof summary]).toEqual([path, 'string']);
    for (const { content } of Object.values(responses))
      for (const { schema } of Object.values(content)) expect(Object.keys(schema).length).toBeGreaterThan(0);
    for (const name of path.match(/(?<=\{)\w+/g) ?? [])
      expect(parameters).toContainEqual(expect.objectContaining({ name, in: 'path', required: true }));
  }
  const events = document.paths['/v1/events'].get as Operation;
  expect(events.parameters?.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'from',
      'to',
      'user',
      'name',
      'path',
      'path_prefix',
      'secret',
      'limit',
      'cursor',
    ]),
  );
  const evidence = document.paths['/v1/evidence/{control}'].get as Operation;
  const required = evidence.parameters?.filter((parameter) => parameter.required).map(({ name }) => name);
  expect(required?.sort()).toEqual(['control', 'from', 'to']);
  expect(Object.keys(evidence.responses['200']?.content ?? {})).toContain('text/csv');
});

test('has no reference that leads nowhere', async () => {
  await using harness = await Harness.open();
  const text = (await harness.app.inject('/openapi.json')).body;
  const document = JSON.parse(text);
  for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g))
    expect(path.split('/').reduce((node, key) => node?.[key], document)).toBeDefined();
});
