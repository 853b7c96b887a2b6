// Questions to every route of the API: each parameter with values that the rows have and with some that they have not.

import type { EvidenceBatch } from '../../../core/ports.ts';

/** A path as the OpenAPI document names it, what stands in its braces, and parameters. */
export interface Question {
  route: string;
  id?: string;
  query: Record<string, string>;
  /** All pages are asked for, one by the cursor of the other. */
  walk?: true;
}

const VALUES = 8;
const PERIOD = { from: '2020-01-01T00:00:00Z', to: '2035-01-01T00:00:00Z' };

export function questionsOf(batch: EvidenceBatch): Question[] {
  const events = batch.events.map(({ event }) => event);
  const leases = batch.leases.map(({ body }) => body);
  const alerts = batch.alerts.map(({ body }) => body);
  const times = some(events.map((event) => event['@timestamp']));
  const middle = times[Math.floor(times.length / 2)] ?? '';
  const questions: Question[] = [];
  const add = (route: string, query: Record<string, string> = {}, more: Partial<Question> = {}) =>
    void questions.push({ route, query, ...more });
  /** One question for each value, with `more` beside it. */
  const each = (
    route: string,
    parameters: Record<string, readonly (string | undefined)[]>,
    more: Record<string, string> = {},
  ) => {
    for (const [name, values] of Object.entries(parameters))
      for (const value of [...some(values), 'none'])
        if (value !== 'none' || !enums.has(name)) add(route, { [name]: value, limit: '1000', ...more });
  };
  const list = (route: string, limit: string) => {
    for (const order of ['asc', 'desc']) add(route, { order, limit }, { walk: true });
    add(route, { from: middle, limit }, { walk: true });
    add(route, { to: middle, order: 'desc' });
    add(route, { from: middle, to: addOne(middle) });
  };

  list('/v1/events', '97');
  each('/v1/events', {
    user: events.map(({ user }) => user.id),
    name: events.map(({ user }) => user.name),
    path: events.map(({ vault }) => vault.request.path),
    path_prefix: ['sys/', 'auth/', 'secret', 'd'],
    secret: events.map(({ vault }) => vault.secret?.path),
    secret_prefix: ['secret/', 'se'],
    action: events.map(({ event }) => event.action),
    outcome: ['success', 'failure', 'unknown'],
    ip: events.map(({ source }) => source?.ip),
    match: ['{"event.action|startswith": "secret-"}', '{"user.id": "root"}', '{"vault.secret.version": 1}'],
  });
  list('/v1/alerts', '17');
  each('/v1/alerts', {
    level: ['informational', 'low', 'medium', 'high', 'critical'],
    rule: alerts.map(({ rule }) => rule.id),
    user: alerts.map(({ user }) => user.id),
    incident: alerts.map(({ incident }) => incident.id),
    status: ['open', 'acknowledged', 'closed'],
    match: ['{"rule.level": "high"}', '{"message|contains": "policy"}'],
  });
  list('/v1/incidents', '2');
  each('/v1/incidents', {
    level: ['low', 'medium', 'high', 'critical'],
    min_risk: ['0', '50', '100'],
    status: ['open', 'acknowledged', 'closed'],
    user: alerts.map(({ user }) => user.id),
  });
  list('/v1/changes', '4');
  each('/v1/changes', { what: ['rule', 'allow', 'setting', 'class'], key: ['key-0'], who: ['bob'] });
  list('/v1/leases', '23');
  each('/v1/leases', {
    alive_at: [...times, 'now'],
    over_s: ['0', '60', '3600', '86400'],
    holder: leases.map((lease) => lease.holder_id),
    holder_name: leases.map((lease) => lease.holder),
    holder_token: leases.map((lease) => lease.holder_token),
    requested_by: leases.map((lease) => lease.requested_by),
    role: leases.map((lease) => lease.role),
    path_prefix: ['database/', 'auth/', 'a'],
    accessor: leases.map((lease) => lease.token?.accessor),
    state: ['active', 'revoked', 'expired', 'unknown'],
    kind: ['lease', 'token'],
    ttl_source: ['audit', 'own_lookup', 'role_config', 'unknown'],
    end_reason: ['revoked', 'revoke_prefix', 'parent_ended', 'expired'],
    end_confirmed: ['true', 'false'],
  });
  for (const by of ['role', 'mount', 'holder']) {
    add('/v1/leases/lifetimes', { ...PERIOD, by, limit: '3' }, { walk: true });
    add('/v1/leases/lifetimes', { by, over_s: '3000', kind: 'token' });
  }
  for (const id of some(events.map(({ event }) => event.id))) add('/v1/events/{id}', {}, { id });
  for (const id of some(alerts.map(({ alert }) => alert.id))) add('/v1/alerts/{id}', {}, { id });
  for (const id of some(alerts.map(({ incident }) => incident.id))) add('/v1/incidents/{id}', {}, { id });
  for (const id of some(leases.map((lease) => lease.id))) add('/v1/leases/{id}', {}, { id });
  for (const route of ['/v1/events/{id}', '/v1/leases/{id}', '/v1/identities/{id}'])
    add(route, {}, { id: 'none *"?' });
  each('/v1/credentials', {
    lease: leases.map(({ id }) => id),
    accessor: leases.map(({ token }) => token?.accessor),
    token: leases.filter(({ kind }) => kind === 'token').map(({ id }) => id),
  });
  questions.splice(0, questions.length, ...questions.map(withoutLimit));
  add('/v1/credentials', { database_user: 'v-token-app-abcdefghijklmnopqrst-1757000000' });
  for (const id of some([
    ...events.map(({ user }) => user.id),
    ...leases.map(({ holder_id }) => holder_id),
  ])) {
    add('/v1/identities/{id}', {}, { id });
    add('/v1/identities/{id}', PERIOD, { id });
    add('/v1/identities/{id}/blast-radius', PERIOD, { id });
    add('/v1/identities/{id}/blast-radius', { at: middle }, { id });
  }
  add('/v1/secrets', { limit: '5' }, { walk: true });
  for (const more of [
    { prefix: 'secret/' },
    { engine: 'kv-v2' },
    { engine: 'kv-v1' },
    { never_read: 'true' },
    { written_never_read: 'true' },
    { never_read: 'false' },
    { older_than: '1d' },
    { older_than: '90d' },
  ])
    add('/v1/secrets', more);
  for (const by of ['service', 'role', 'mount'])
    add('/v1/posture', { ...PERIOD, by, limit: '5' }, { walk: true });
  add('/v1/posture', { from: PERIOD.from, to: middle });
  list('/v1/coverage', '3');
  add('/v1/rules');
  add('/v1/evidence');
  for (const format of ['json', 'csv', 'jsonl'])
    for (const rows of ['did', 'could', 'granted_unused'])
      add('/v1/evidence/{control}', { ...PERIOD, format, rows }, { id: 'CC6.1' });
  add('/v1/evidence/{control}', { ...PERIOD, secret_prefix: 'secret/' }, { id: 'CC6.1' });
  add('/v1/evidence/{control}', { from: PERIOD.from, to: middle }, { id: 'CC6.1' });
  for (const path of some(events.map(({ vault }) => vault.request.path))) {
    add('/v1/access', { path });
    add('/v1/access', { path, at: middle, cluster: 'default', namespace: '' });
  }
  return questions;
}

/** Parameters that take certain words only. */
const enums = new Set([
  ...['outcome', 'level', 'status', 'what', 'state', 'kind', 'ttl_source', 'end_reason', 'end_confirmed'],
  ...['alive_at', 'over_s', 'min_risk', 'match'],
]);

const withoutLimit = (question: Question): Question => {
  if (question.route !== '/v1/credentials') return question;
  const { limit: _, ...query } = question.query;
  return { ...question, query };
};

/** Values that occur: the first and last in order, and some between them. */
function some(values: readonly (string | undefined)[]): string[] {
  const all = [...new Set(values)].filter((value) => value !== undefined && value !== '').sort() as string[];
  if (all.length <= VALUES) return all;
  return Array.from(
    { length: VALUES },
    (_, i) => all[Math.floor((i * (all.length - 1)) / (VALUES - 1))] as string,
  );
}

/** A nanosecond later. */
const addOne = (time: string): string =>
  `${time.slice(0, 20)}${String(Number(time.slice(20, 29)) + 1).padStart(9, '0')}Z`;
