// Each correlation type from YAML through the whole engine, on calls of a real Vault moved in time: what fires and what is quiet.

import { describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { WholeDetector } from '../../detectors/engine/whole.ts';
import { at } from '../builders.ts';
import { END, slowCallNanos } from './engine-run.ts';
import { realEvent } from './real-events.ts';
import { correlationText, rulesFrom, ruleText } from './rule-text.ts';

const scenes: Record<string, AuditEvent> = {
  d: realEvent('denied'),
  i: realEvent('database-lease'),
  l: realEvent('login-userpass'),
  w: realEvent('kv-v2'),
};

/** `d10@2/bob#60`: a denied call after ten seconds, from 10.0.0.2 (`@-`: no address), by bob; a login gave a token of 60 s. */
function call(word: string): AuditEvent {
  const [, scene = '', second, ip, user, ttl] =
    /^([dilw])(\d+)(?:@(\d+|-))?(?:\/(\w+))?(?:#(\d+))?$/.exec(word) ?? [];
  const event = structuredClone(scenes[scene] as AuditEvent);
  event['@timestamp'] = at(Number(second));
  event.event.id = `${scene}-${second?.padStart(6, '0')}`;
  if (ip === '-') delete event.source;
  else if (ip !== undefined) event.source = { ip: `10.0.0.${ip}` };
  if (user !== undefined) {
    event.user = { id: `id-of-${user}`, name: user };
    event.vault.caller.subject = user;
  }
  if (event.vault.issued !== undefined && ttl !== undefined) event.vault.issued.ttl_s = Number(ttl);
  return event;
}

const rules = [
  ['denied', '{sel: {event.outcome: failure}, condition: sel}'],
  ['issued', '{sel: {event.action: credential-issue}, condition: sel}'],
  ['login', '{sel: {event.action: user-login}, condition: sel}'],
  ['written', '{sel: {event.action: secret-write}, condition: sel}'],
].map(([name, detection], i) => ruleText({ id: `11111111-2222-4333-8444-00000000000${i}`, name, detection }));

const outer = (body: string, more = {}) => correlationText({ correlation: `{${body}}`, ...more });
const burst = outer(
  'type: event_count, rules: [denied], group-by: [source.ip], timespan: 1m, condition: {gte: 2}',
  {
    id: '11111111-2222-4333-8444-000000000009',
    name: 'burst',
  },
);

function alertsOf(texts: string[], calls: AuditEvent[]): Alert[] {
  // Rules that the correlation does not count would alert by themselves.
  const all = rulesFrom(...rules, ...texts);
  const roots = all.roots.filter(({ top }) => top.kind === 'correlation');
  const detector = new WholeDetector({ cluster: 'test', rules: { ...all, roots }, slowCallNanos });
  for (const event of calls) detector.event(event);
  detector.advance(END);
  return detector.take().alerts.map(({ body }) => body);
}

interface Case {
  body: string;
  more?: string[];
  /** Calls, and behind `:` which of them the alert names. */
  fires: [calls: string, named: string][];
  quiet: string[];
}

const user = 'group-by: [user.id], timespan: 1m';
const cases: Case[] = [
  {
    body: `type: event_count, rules: [denied], ${user}, condition: {gte: 3}`,
    fires: [
      ['d0 d30 d59', 'd0 d30 d59'],
      ['d0 l5 d30 d100 d110 d120', 'd100 d110 d120'],
    ],
    quiet: ['d0 d30 d90', 'd0/ann d1/bob d2/ann', 'l0 l1 l2'],
  },
  {
    body: `type: event_count, rules: [denied, login], ${user}, condition: {gte: 2, lt: 4}`,
    fires: [['d0/ann l1/ann d2/ann', 'd0 l1 d2']],
    quiet: ['d0', 'd0 d1 d2 d3'],
  },
  {
    body: `type: event_count, rules: [denied], group-by: [vault.lease.id], timespan: 1m, condition: {gte: 2}`,
    fires: [],
    quiet: ['d0 d1 d2 d3'],
  },
  {
    body: 'type: event_count, rules: [denied], timespan: 1m, condition: {gte: 2}',
    fires: [['d0/ann d1/bob', 'd0 d1']],
    quiet: ['d0/ann d99/bob'],
  },
  {
    body: `type: value_count, rules: [login], ${user}, condition: {field: source.ip, gte: 3}`,
    fires: [['l0@1 l1@2 l2@1 l3@3', 'l1 l2 l3']],
    quiet: ['l0@1 l1@2 l2@1', 'l0@1 l1@2 l2@-', 'l0@1 l1@2 l99@3'],
  },
  {
    body: `type: value_sum, rules: [login], ${user}, condition: {field: vault.issued.ttl_s, gt: 7000}`,
    fires: [['l0 l1', 'l0 l1']],
    quiet: ['l0', 'l0 l99', 'd0 d1'],
  },
  {
    body: `type: value_avg, rules: [login], ${user}, condition: {field: vault.issued.ttl_s, gt: 5000}`,
    fires: [['l0#3600 l1#7200', 'l0 l1']],
    quiet: ['l0#3600 l1#3600', 'd0'],
  },
  {
    body: `type: value_percentile, rules: [login], ${user}, condition: {field: vault.issued.ttl_s, percentile: 50, gte: 5000}`,
    fires: [['l0#10 l1#7200 l2#7200', 'l0 l1 l2']],
    quiet: ['l0#10 l1#10 l2#7200'],
  },
  {
    body: `type: temporal, rules: [denied, written], ${user}`,
    fires: [
      ['d0/ann w5/ann', 'd0 w5'],
      ['w0/ann d5/ann', 'w0 d5'],
    ],
    quiet: ['d0/ann w5/bob', 'd0/ann w99/ann', 'd0 d1'],
  },
  {
    body: `type: temporal, rules: [denied, login], ${user}, condition: denied and not login`,
    fires: [
      ['d0/ann l5/bob', 'd0'],
      ['l0/ann d99/ann', 'd99'],
    ],
    quiet: ['d0/ann l5/ann', 'l0/ann d5/ann'],
  },
  {
    body: `type: temporal, rules: [denied, login, written], ${user}, condition: {gte: 2}`,
    fires: [['d0/ann w5/ann', 'd0 w5']],
    quiet: ['d0/ann d1/ann', 'd0/ann w5/bob'],
  },
  {
    body: `type: temporal_ordered, rules: [denied, written], ${user}`,
    fires: [['w0/ann d5/ann w9/ann', 'd5 w9']],
    quiet: ['w0/ann d5/ann'],
  },
  {
    body: 'type: temporal, rules: [login, written], group-by: [who], timespan: 1m, aliases: {who: {login: user.name, written: vault.caller.subject}}',
    fires: [['l0/ann w5/ann', 'l0 w5']],
    quiet: ['l0/ann w5/bob'],
  },
  {
    body: 'type: temporal_ordered, rules: [burst, written], group-by: [user.id], timespan: 10m',
    more: [burst],
    fires: [['d0@1/ann d1@1/ann w99/ann', 'd0 d1 w99']],
    quiet: ['d0@1/ann d1@2/ann w99/ann', 'd0@1/ann d1@1/bob w99/ann', 'w0/ann d1@1/ann d2@1/ann'],
  },
  {
    body: 'type: temporal, rules: [burst, other], group-by: [user.name], timespan: 10m, condition: burst and not other',
    more: [
      burst,
      ruleText({ name: 'other', detection: '{sel: {event.action: user-login}, condition: sel}' }),
    ],
    fires: [['d0@1/ann d1@1/ann l99/bob', 'd0 d1']],
    quiet: ['d0@1/ann d1@1/ann l99/ann', 'd0@1/ann d1@2/ann'],
  },
];

describe.each(cases)('$body', ({ body, fires, more = [], quiet }) => {
  const texts = [outer(body), ...more];
  const callsOf = (words: string) => words.split(' ').map(call);

  it.each(fires)('fires for %s, whatever the order they come in', (words, named) => {
    const calls = callsOf(words);
    const alerts = alertsOf(texts, calls);
    expect(alerts.map(({ evidence }) => evidence.event_ids)).toEqual([
      callsOf(named).map(({ event }) => event.id),
    ]);
    expect(alertsOf(texts, calls.toReversed())).toEqual(alerts);
  });

  it.each(quiet)('is quiet for %s', (words) => {
    expect(alertsOf(texts, callsOf(words))).toEqual([]);
  });
});
