// Every answer of a sealwatch's API to every question that its own data raise: lists by pages and filters, each row of them, the
// reports. By the question, in canonical JSON, so that two products can be held against each other.

import type { Alert } from '../../../core/alert.ts';
import { canonicalJson } from '../../../core/canonical.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import type { Sealwatch } from '../../e2e/sealwatch.ts';

export type Answers = Map<string, string>;

const PERIOD = 'from=2020-01-01T00:00:00Z&to=2035-01-01T00:00:00Z';
/** Rows of each list that are looked at one by one. */
const EACH_MAX = 40;
/** A page shorter than the list: order and cursors. */
const PAGE = 97;

/**
 * A time behind the last line is the time of the question: how far event time has come goes on. And whether a rule is on is known
 * only where the detectors are.
 */
const settled = (text: string, end: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => (time > end && time < '2030' ? 'now' : time))
    .replaceAll('"enabled":true,"file"', '"enabled":null,"file"');

export class Asker {
  readonly answers: Answers = new Map();
  /** Paths of the API's own description that were asked. */
  readonly asked = new Set<string>();
  private readonly product: Sealwatch;

  private readonly end: string;

  /** `end` is the time of the last line that was written. */
  constructor(product: Sealwatch, end: string) {
    this.product = product;
    this.end = end;
  }

  private keep(question: string, status: number, text: string): void {
    this.answers.set(question, `${status} ${settled(text, this.end)}`);
  }

  /** Paths and methods of the API's own description. */
  async paths(): Promise<Record<string, object>> {
    return (await this.product.get<{ paths: Record<string, object> }>('/openapi.json')).paths;
  }

  /** `path` is one of the description; `{id}` in it becomes `id`. */
  private async one(path: string, query = '', id?: string): Promise<unknown> {
    this.asked.add(path);
    const url = `${path.replace(/\{\w+\}/, encodeURIComponent(id ?? ''))}${query === '' ? '' : `?${query}`}`;
    const response = await this.product.fetch(url);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    this.keep(url, response.status, isJson ? canonicalJson(JSON.parse(text)) : text);
    return isJson ? JSON.parse(text) : undefined;
  }

  /** All pages of a list. */
  private async list<T>(path: string, query = '', limit = PAGE): Promise<T[]> {
    const rows: T[] = [];
    for (let cursor: string | null = '', page = 0; cursor !== null; page++) {
      this.asked.add(path);
      const parts = [query, `limit=${limit}`, cursor && `cursor=${encodeURIComponent(cursor)}`];
      const response = await this.product.fetch(`${path}?${parts.filter((part) => part !== '').join('&')}`);
      const body = (await response.json()) as { items?: T[]; next_cursor?: string | null };
      this.keep(`${path}?${query} page ${page}`, response.status, canonicalJson(body));
      rows.push(...(body.items ?? []));
      cursor = body.next_cursor ?? null;
    }
    return rows;
  }

  async all(): Promise<void> {
    const events = await this.events();
    await this.leases();
    await this.alerts();
    await this.people(events);
    await this.reports(events);
  }

  private async events(): Promise<AuditEvent[]> {
    const events = await this.list<AuditEvent>('/v1/events');
    await this.list('/v1/events', `${PERIOD}&order=asc`, 1000);
    for (const field of ['user', 'action', 'outcome', 'ip', 'secret'] as const)
      for (const value of some(events.map((event) => fieldOf(event, field))))
        await this.list('/v1/events', `${field}=${encodeURIComponent(value)}`, 1000);
    for (const prefix of ['auth/', 'secret/', 'sys/'])
      await this.list('/v1/events', `path_prefix=${encodeURIComponent(prefix)}`, 1000);
    for (const { event } of events.slice(0, EACH_MAX)) await this.one('/v1/events/{id}', '', event.id);
    return events;
  }

  private async leases(): Promise<void> {
    const leases = await this.list<Lease>('/v1/leases');
    for (const value of some(leases.map(({ holder_id }) => holder_id)))
      await this.list('/v1/leases', `holder=${encodeURIComponent(value)}`, 1000);
    for (const field of ['role', 'state', 'kind', 'ttl_source', 'end_reason'] as const)
      for (const value of some(leases.map((lease) => lease[field])))
        await this.list('/v1/leases', `${field}=${encodeURIComponent(value)}`, 1000);
    for (const { id, issued_at } of leases.slice(0, EACH_MAX)) {
      await this.one('/v1/leases/{id}', '', id);
      await this.list('/v1/leases', `alive_at=${issued_at}`, 1000);
      await this.one('/v1/credentials', `lease=${encodeURIComponent(id)}`);
    }
    for (const by of ['role', 'mount', 'holder'])
      await this.list('/v1/leases/lifetimes', `${PERIOD}&by=${by}`);
  }

  private async alerts(): Promise<void> {
    const alerts = await this.list<Alert>('/v1/alerts');
    for (const value of some(alerts.map(({ rule }) => rule.id)))
      await this.list('/v1/alerts', `rule=${value}`);
    for (const level of ['low', 'medium', 'high', 'critical'])
      await this.list('/v1/alerts', `level=${level}`);
    for (const { alert } of alerts.slice(0, EACH_MAX)) await this.one('/v1/alerts/{id}', '', alert.id);
    const incidents = await this.list<{ id: string }>('/v1/incidents', '', 7);
    for (const { id } of incidents.slice(0, EACH_MAX)) await this.one('/v1/incidents/{id}', '', id);
  }

  private async people(events: readonly AuditEvent[]): Promise<void> {
    for (const id of some(events.map(({ user }) => user?.id))) {
      await this.one('/v1/identities/{id}', PERIOD, id);
      await this.one('/v1/identities/{id}/blast-radius', PERIOD, id);
    }
  }

  private async reports(events: readonly AuditEvent[]): Promise<void> {
    const at = events[0]?.['@timestamp'] ?? '';
    await this.list('/v1/secrets');
    await this.list('/v1/secrets', 'never_read=true');
    await this.list('/v1/posture', PERIOD);
    await this.list('/v1/coverage', PERIOD);
    await this.list('/v1/rules');
    await this.one('/v1/evidence');
    for (const format of ['json', 'csv'])
      await this.one('/v1/evidence/{control}', `${PERIOD}&format=${format}`, 'CC6.1');
    for (const path of some(events.map(({ vault }) => vault.secret?.path)))
      await this.one('/v1/access', `path=${encodeURIComponent(path)}&at=${at}`);
  }
}

const fieldOf = ({ user, event, source, vault }: AuditEvent, field: string): string | undefined =>
  ({
    user: user?.id,
    action: event.action,
    outcome: event.outcome,
    ip: source?.ip,
    secret: vault.secret?.path,
  })[field];

/** The values that occur, in order, to a bound. */
const some = (values: readonly (string | undefined)[]): string[] =>
  [...new Set(values.filter((value) => value !== undefined && value !== ''))]
    .sort()
    .slice(0, EACH_MAX) as string[];

/** Questions that the two answer differently, with both answers. */
export function answeredDifferently(one: Answers, other: Answers): string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((question) => one.get(question) !== other.get(question))
    .map(
      (question) =>
        `${question}\n  ${cut(one.get(question), other.get(question))}\n  ${cut(other.get(question), one.get(question))}`,
    );
}

/** From shortly before the first difference on. */
function cut(text = '(nothing)', other = ''): string {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  return text.slice(Math.max(0, at - 200), at + 200);
}
