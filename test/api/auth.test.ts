// Who gets in, who does not, and that a key is never written down.

import { expect, test } from 'vitest';
import { mayRead, roles } from '../../api/auth.ts';
import { Harness, keyOf } from './harness.ts';

const protectedRoutes = {
  evidence: '/v1/evidence',
  access: '/v1/access?path=secret/data/app',
  coverage: '/v1/coverage',
  rules: '/v1/rules',
  events: '/v1/events',
  alerts: '/v1/alerts',
  incidents: '/v1/incidents',
  changes: '/v1/changes',
  leases: '/v1/leases',
  identities: '/v1/identities/nobody',
  secrets: '/v1/secrets',
  posture: '/v1/posture?from=2026-09-01T00:00:00Z&to=2026-10-01T00:00:00Z',
  metrics: '/metrics',
} as const;

test('without a key, or with a wrong one, every protected route answers 401 and says how', async () => {
  await using harness = await Harness.open();
  const wrong = ['', 'Bearer', 'Bearer wrong', `Basic ${keyOf('admin')}`, keyOf('admin')];
  for (const url of Object.values(protectedRoutes))
    for (const authorization of wrong) {
      const response = await harness.app.inject({
        url,
        headers: authorization === '' ? {} : { authorization },
      });
      expect([url, response.statusCode]).toEqual([url, 401]);
      expect(response.headers['www-authenticate']).toContain('Bearer');
      expect(response.headers['content-type']).toContain('application/problem+json');
    }
});

test('each role may read what the table says, and nothing else', async () => {
  await using harness = await Harness.open();
  for (const role of roles)
    for (const [area, url] of Object.entries(protectedRoutes)) {
      const { statusCode } = await harness.get(url, role);
      const allowed = (mayRead[role] as readonly string[]).includes(area);
      expect([role, url, statusCode]).toEqual([
        role,
        url,
        allowed ? (area === 'identities' ? 404 : 200) : 403,
      ]);
    }
  expect(mayRead.auditor).not.toContain('metrics');
});

test('the page, health and the API description are open, also with a wrong key', async () => {
  await using harness = await Harness.open();
  for (const url of [
    '/',
    '/web/app.js',
    '/web/style.css',
    '/web/icon.svg',
    '/healthz',
    '/readyz',
    '/openapi.json',
  ]) {
    const response = await harness.app.inject({ url, headers: { authorization: 'Bearer wrong' } });
    expect([url, response.statusCode]).toEqual([url, 200]);
    expect(response.headers['content-security-policy']).toContain("default-src 'self'");
    expect(response.headers['x-content-type-options']).toBe('nosniff');
  }
});

test('a route of the API without an area is refused when it is added', async () => {
  await using harness = await Harness.open();
  expect(() => harness.app.get('/v1/forgotten', async () => 'open')).toThrow('names no area');
});

test('no key and no query value is ever logged', async () => {
  await using harness = await Harness.open(undefined, {
    metrics: () => Promise.reject(new Error('the counter is broken')),
  });
  const secret = 'hvs.CAESIJsecretsecretsecret';
  await harness.get(`/v1/events?secret=${secret}`);
  await harness.get(`/v1/events?key=${secret}`);
  await harness.get(`/v1/nothing?key=${secret}`);
  await harness.get(`/v1/evidence/CC6.1?key=${secret}`);
  expect((await harness.get('/metrics')).statusCode).toBe(500);
  await harness.app.inject({ url: '/v1/rules', headers: { authorization: `Bearer ${secret}` } });
  const written = [...harness.log, JSON.stringify(harness.accesses)].join('\n');
  expect(harness.log.length).toBeGreaterThan(5);
  expect(written).not.toContain(secret);
  for (const role of roles) expect(written).not.toContain(keyOf(role));
  expect(written).not.toMatch(/authorization/i);
  expect(written).toContain('the counter is broken');
});
