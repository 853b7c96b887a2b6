// Questions to every route of the API: each parameter with values that the rows have and with some that they have not.

import type { Alert } from '../../../core/alert.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
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

export const questionsOf = (batch: EvidenceBatch): Question[] => new Questions(batch).all();

class Questions {
  private readonly questions: Question[] = [];
  private readonly events: AuditEvent[];
  private readonly leases: Lease[];
  private readonly alerts: Alert[];
  private readonly times: string[];
  private readonly middle: string;

  constructor(batch: EvidenceBatch) {
    this.events = batch.events.map(({ event }) => event);
    this.leases = batch.leases.map(({ body }) => body);
    this.alerts = batch.alerts.map(({ body }) => body);
    this.times = some(this.events.map((event) => event['@timestamp']));
    this.middle = this.times[Math.floor(this.times.length / 2)] ?? '';
  }

  all(): Question[] {
    this.ofEvents();
    this.ofAlerts();
    this.ofLeases();
    this.ofOne();
    this.ofPeople();
    this.reports();
    return this.questions;
  }

  private add(route: string, query: Record<string, string> = {}, more: Partial<Question> = {}): void {
    this.questions.push({ route, query, ...more });
  }

  /** One question for each value. */
  private each(route: string, parameters: Record<string, readonly (string | undefined)[]>): void {
    const limit = route === '/v1/credentials' ? undefined : { limit: '1000' };
    for (const [name, values] of Object.entries(parameters))
      for (const value of enums.has(name) ? some(values) : [...some(values), 'none'])
        this.add(route, { [name]: value, ...limit });
  }

  private list(route: string, limit: string): void {
    const { middle } = this;
    for (const order of ['asc', 'desc']) this.add(route, { order, limit }, { walk: true });
    this.add(route, { from: middle, limit }, { walk: true });
    this.add(route, { to: middle, order: 'desc' });
    this.add(route, { from: middle, to: addOne(middle) });
  }

  private ofEvents(): void {
    this.list('/v1/events', '97');
    this.each('/v1/events', {
      user: this.events.map(({ user }) => user.id),
      name: this.events.map(({ user }) => user.name),
      path: this.events.map(({ vault }) => vault.request.path),
      path_prefix: ['sys/', 'auth/', 'secret', 'd'],
      secret: this.events.map(({ vault }) => vault.secret?.path),
      secret_prefix: ['secret/', 'se'],
      action: this.events.map(({ event }) => event.action),
      outcome: ['success', 'failure', 'unknown'],
      ip: this.events.map(({ source }) => source?.ip),
      match: ['{"event.action|startswith": "secret-"}', '{"user.id": "root"}', '{"vault.secret.version": 1}'],
    });
  }

  private ofAlerts(): void {
    this.list('/v1/alerts', '17');
    this.each('/v1/alerts', {
      level: ['informational', 'low', 'medium', 'high', 'critical'],
      rule: this.alerts.map(({ rule }) => rule.id),
      user: this.alerts.map(({ user }) => user.id),
      incident: this.alerts.map(({ incident }) => incident.id),
      status: ['open', 'acknowledged', 'closed'],
      match: ['{"rule.level": "high"}', '{"message|contains": "policy"}'],
    });
    this.list('/v1/incidents', '2');
    this.each('/v1/incidents', {
      level: ['low', 'medium', 'high', 'critical'],
      min_risk: ['0', '50', '100'],
      status: ['open', 'acknowledged', 'closed'],
      user: this.alerts.map(({ user }) => user.id),
    });
    this.list('/v1/changes', '4');
    this.each('/v1/changes', { what: ['rule', 'allow', 'setting', 'class'], key: ['key-0'], who: ['bob'] });
  }

  private ofLeases(): void {
    this.list('/v1/leases', '23');
    this.each('/v1/leases', {
      alive_at: [...this.times, 'now'],
      over_s: ['0', '60', '3600', '86400'],
      holder: this.leases.map((lease) => lease.holder_id),
      holder_name: this.leases.map((lease) => lease.holder),
      holder_token: this.leases.map((lease) => lease.holder_token),
      requested_by: this.leases.map((lease) => lease.requested_by),
      role: this.leases.map((lease) => lease.role),
      path_prefix: ['database/', 'auth/', 'a'],
      accessor: this.leases.map((lease) => lease.token?.accessor),
      state: ['active', 'revoked', 'expired', 'unknown'],
      kind: ['lease', 'token'],
      ttl_source: ['audit', 'own_lookup', 'role_config', 'unknown'],
      end_reason: ['revoked', 'revoke_prefix', 'parent_ended', 'expired'],
      end_confirmed: ['true', 'false'],
    });
    for (const by of ['role', 'mount', 'holder']) {
      this.add('/v1/leases/lifetimes', { ...PERIOD, by, limit: '3' }, { walk: true });
      this.add('/v1/leases/lifetimes', { by, over_s: '3000', kind: 'token' });
    }
  }

  private ofOne(): void {
    for (const id of some(this.events.map(({ event }) => event.id))) this.add('/v1/events/{id}', {}, { id });
    for (const id of some(this.alerts.map(({ alert }) => alert.id))) this.add('/v1/alerts/{id}', {}, { id });
    for (const id of some(this.alerts.map(({ incident }) => incident.id)))
      this.add('/v1/incidents/{id}', {}, { id });
    for (const id of some(this.leases.map((lease) => lease.id))) this.add('/v1/leases/{id}', {}, { id });
    for (const route of ['/v1/events/{id}', '/v1/leases/{id}', '/v1/identities/{id}'])
      this.add(route, {}, { id: 'none *"?' });
    this.each('/v1/credentials', {
      lease: this.leases.map(({ id }) => id),
      accessor: this.leases.map(({ token }) => token?.accessor),
      token: this.leases.filter(({ kind }) => kind === 'token').map(({ id }) => id),
    });
  }

  private ofPeople(): void {
    this.add('/v1/credentials', { database_user: 'v-token-app-abcdefghijklmnopqrst-1757000000' });
    for (const id of some([
      ...this.events.map(({ user }) => user.id),
      ...this.leases.map(({ holder_id }) => holder_id),
    ])) {
      this.add('/v1/identities/{id}', {}, { id });
      this.add('/v1/identities/{id}', PERIOD, { id });
      this.add('/v1/identities/{id}/blast-radius', PERIOD, { id });
      this.add('/v1/identities/{id}/blast-radius', { at: this.middle }, { id });
    }
  }

  private reports(): void {
    this.add('/v1/secrets', { limit: '5' }, { walk: true });
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
      this.add('/v1/secrets', more);
    for (const by of ['service', 'role', 'mount'])
      this.add('/v1/posture', { ...PERIOD, by, limit: '5' }, { walk: true });
    this.add('/v1/posture', { from: PERIOD.from, to: this.middle });
    this.list('/v1/coverage', '3');
    this.add('/v1/rules');
    this.add('/v1/evidence');
    for (const format of ['json', 'csv', 'jsonl'])
      for (const rows of ['did', 'could', 'granted_unused'])
        this.add('/v1/evidence/{control}', { ...PERIOD, format, rows }, { id: 'CC6.1' });
    this.add('/v1/evidence/{control}', { ...PERIOD, secret_prefix: 'secret/' }, { id: 'CC6.1' });
    this.add('/v1/evidence/{control}', { from: PERIOD.from, to: this.middle }, { id: 'CC6.1' });
    for (const path of some(this.events.map(({ vault }) => vault.request.path))) {
      this.add('/v1/access', { path });
      this.add('/v1/access', { path, at: this.middle, cluster: 'default', namespace: '' });
    }
  }
}

/** Parameters that take certain words only. */
const enums = new Set([
  ...['outcome', 'level', 'status', 'what', 'state', 'kind', 'ttl_source', 'end_reason', 'end_confirmed'],
  ...['alive_at', 'over_s', 'min_risk', 'match'],
]);

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
