// Incidents over HTTP: lists, one with its story, days that go on, and what is said of alerts.

import { expect, test } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import { incidentId } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import { anAlert, aToken, at } from '../builders.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { Harness } from './harness.ts';

const alert = (parts: Parameters<typeof anAlert>[0]): Alert => {
  const body = anAlert(parts);
  return { ...body, incident: { id: incidentId(body.user.id, body.alert.first_seen) } };
};
const open = (alerts: Alert[], more: Parameters<typeof batchOf>[0] = {}) =>
  Harness.open(batchOf({ alerts: alerts.map((body) => ({ revision: 1, body })), ...more }));
const subjectsOf = async (harness: Harness, query: string) =>
  (await harness.get(`/v1/incidents?${query}`))
    .json()
    .items.map((row: { subject: { id: string } }) => row.subject.id);

const hour = 3600;
const many = () =>
  open([
    alert({ id: 'a1', user: 'u', rule: 'r1', level: 'high', time: at(1) }),
    alert({ id: 'a2', user: 'u', rule: 'r2', level: 'medium', time: at(2) }),
    alert({ id: 'b1', user: 'address:10.0.0.9', level: 'low', time: at(3) }),
    alert({ id: 'c1', user: 'root', level: 'critical', time: at(4) }),
  ]);

test('incidents have their filters and pages', async () => {
  await using harness = await many();
  expect(await subjectsOf(harness, '')).toEqual(['u', 'address:10.0.0.9', 'root']);
  expect(await subjectsOf(harness, 'level=high')).toEqual(['u']);
  expect(await subjectsOf(harness, 'min_risk=120')).toEqual(['u']);
  expect(await subjectsOf(harness, 'min_risk=99')).toEqual(['u', 'root']);
  expect(await subjectsOf(harness, 'min_risk=121')).toEqual([]);
  expect(await subjectsOf(harness, 'user=root')).toEqual(['root']);
  expect(await subjectsOf(harness, `from=${at(3)}&to=${at(4)}`)).toEqual(['address:10.0.0.9']);
  const first = (await harness.get('/v1/incidents?limit=1&order=desc')).json();
  expect(first.items[0].subject.id).toBe('root');
  expect(await subjectsOf(harness, `order=desc&cursor=${first.next_cursor}`)).toEqual([
    'address:10.0.0.9',
    'u',
  ]);
});

test('one incident: time line, alerts, and where to go on', async () => {
  await using harness = await many();
  const id = incidentId('u', at(0));
  const incident = (await harness.get(`/v1/incidents/${id}`)).json();
  expect(incident).toMatchObject({
    id,
    risk: 73 + 47,
    level: 'high',
    alerts: 2,
    timeline: [{ alert_id: 'a1' }, { alert_id: 'a2' }],
    alert_rows: [
      { alert: { id: 'a1' }, triage: null },
      { alert: { id: 'a2' }, triage: null },
    ],
    triage: { status: 'open', open: 2, acknowledged: 0, closed: 0 },
    continues: null,
    links: { blast_radius: '/v1/identities/u/blast-radius', alerts: `/v1/alerts?incident=${id}` },
  });
  const { items } = (await harness.get(incident.links.alerts)).json();
  expect(items.map((row: Alert) => row.alert.id)).toEqual(['a1', 'a2']);
  expect((await harness.get('/v1/incidents/none')).statusCode).toBe(404);
});

test('a night that goes on after midnight is linked both ways, a pause of hours is not', async () => {
  const day = 86_400;
  await using harness = await open([
    alert({ id: 'a', user: 'u', time: at(day - hour) }),
    alert({ id: 'b', user: 'u', time: at(day + hour) }),
    alert({ id: 'c', user: 'u', time: at(2 * day + 7 * hour) }),
    alert({ id: 'd', user: 'v', time: at(day - 6 * hour) }),
    alert({ id: 'e', user: 'v', time: at(day) }),
  ]);
  const { items } = (await harness.get('/v1/incidents')).json();
  const linked = items.map((row: Record<string, string>) => [row['continues'], row['continued_by']]);
  const [u1, u2] = [incidentId('u', at(0)), incidentId('u', at(day))];
  expect(linked).toEqual([
    [null, null],
    [null, u2],
    [null, null],
    [u1, null],
    [null, null],
  ]);
  expect(items).toHaveLength(5);
});

test('a token without an identity leads to who made it, and back', async () => {
  const token = aToken({ id: 'acc', holder: 'token:acc', with: { requested_by: 'u' } });
  await using harness = await open(
    [alert({ id: 'a', user: 'token:acc', time: at(9) }), alert({ id: 'b', user: 'u', time: at(5) })],
    { leases: [{ revision: 1, body: token }] },
  );
  const [ofToken, ofMaker] = [incidentId('token:acc', at(0)), incidentId('u', at(0))];
  expect((await harness.get(`/v1/incidents/${ofToken}`)).json()).toMatchObject({
    made_by: { id: 'u' },
    related: [{ id: ofMaker, subject: 'u' }],
  });
  // Made before the maker's last alert: looked for up to then.
  expect((await harness.get(`/v1/incidents/${ofMaker}`)).json()).toMatchObject({
    made_by: null,
    related: [{ id: ofToken, subject: 'token:acc' }],
  });
});

test('what is said of an alert is kept with who and when; the last word holds', async () => {
  await using harness = await many();
  const note = 'looked at <script>alert(1)</script>\n"fine"';
  const said = { status: 'closed', verdict: 'false_positive', note };
  const first = await harness.post('/v1/alerts/a1/triage', { status: 'acknowledged' });
  expect([first.statusCode, first.json()]).toMatchObject([
    201,
    { alert_id: 'a1', by: 'the-analyst', at: '2026-10-01T12:00:00.000000000Z', status: 'acknowledged' },
  ]);
  harness.nowMs += 1000;
  expect((await harness.post('/v1/alerts/a1/triage', said, 'responder')).json()).toMatchObject(said);
  const one = (await harness.get('/v1/alerts/a1')).json();
  expect(one).toMatchObject({ alert: { id: 'a1' }, triage: { ...said, by: 'the-responder' } });
  expect(one.triage_history.map((row: { status: string }) => row.status)).toEqual(['closed', 'acknowledged']);
  const list = async (query: string) => {
    const page = (await harness.get(`/v1/alerts?${query}`)).json();
    return page.items.map((row: Alert & { triage?: { status: string } }) => [
      row.alert.id,
      row.triage?.status,
    ]);
  };
  expect(await list('rule=r1')).toEqual([['a1', 'closed']]);
  expect(await list('status=closed')).toEqual([['a1', 'closed']]);
  expect(await list('status=acknowledged')).toEqual([]);
  expect((await list('status=open')).map(([id]: string[]) => id)).toEqual(['a2', 'b1', 'c1']);
  harness.nowMs += 1000;
  await harness.post('/v1/alerts/a1/triage', { status: 'reopened' });
  expect((await list('status=open')).map(([id]: string[]) => id)).toEqual(['a1', 'a2', 'b1', 'c1']);
});

test('a status is found behind many rows of another, page by page', async () => {
  const ids = Array.from({ length: 1203 }, (_, i) => `a${String(i).padStart(4, '0')}`);
  await using harness = await open(ids.map((id, i) => alert({ id, user: 'u', time: at(i) })));
  const closed = ['a0499', 'a0500', 'a1000', 'a1202'];
  for (const id of closed) await harness.post(`/v1/alerts/${id}/triage`, { status: 'closed' });
  for (const [order, limit] of [
    ['asc', 100],
    ['desc', 1],
    ['asc', 2],
    ['asc', 4],
  ] as const) {
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const url = `/v1/alerts?status=closed&order=${order}&limit=${limit}${next}`;
      const page = (await harness.get(url)).json();
      expect(page.scanned).toBeGreaterThan(0);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(...page.items.map((row: Alert) => row.alert.id));
      cursor = page.next_cursor;
    }
    expect(found).toEqual(order === 'asc' ? closed : [...closed].reverse());
  }
});

test('an incident is closed when all of its alerts are; a new alert opens it', async () => {
  await using harness = await many();
  const id = incidentId('u', at(0));
  const triage = async () => (await harness.get(`/v1/incidents/${id}`)).json().triage;
  await harness.post('/v1/alerts/a1/triage', { status: 'closed' });
  expect(await triage()).toEqual({ status: 'open', open: 1, acknowledged: 0, closed: 1 });
  harness.nowMs += 1;
  const all = await harness.post(`/v1/incidents/${id}/triage`, { status: 'acknowledged' });
  expect([all.statusCode, all.json()]).toEqual([201, { recorded: 2, complete: true }]);
  expect(await triage()).toEqual({ status: 'acknowledged', open: 0, acknowledged: 2, closed: 0 });
  harness.nowMs += 1;
  await harness.post(`/v1/incidents/${id}/triage`, { status: 'closed', verdict: 'true_positive' });
  expect(await subjectsOf(harness, 'status=closed')).toEqual(['u']);
  expect(await subjectsOf(harness, 'status=open')).toEqual(['address:10.0.0.9', 'root']);
  const body = alert({ id: 'a3', user: 'u', time: at(9) });
  await harness.writer.write(batchOf({ alerts: [{ revision: 1, body }] }));
  expect(await triage()).toEqual({ status: 'open', open: 1, acknowledged: 0, closed: 2 });
});

const refused: [what: string, body: unknown][] = [
  ['no status', {}],
  ['an unknown status', { status: 'done' }],
  ['an unknown verdict', { status: 'closed', verdict: 'meh' }],
  ['a stranger', { status: 'closed', by: 'somebody else' }],
  ['a note that is too long', { status: 'closed', note: 'x'.repeat(limits.triageNoteCharsMax + 1) }],
  ['control characters', { status: 'closed', note: 'a\u0000b' }],
  ['a turned text', { status: 'closed', note: 'a\u202eb' }],
  ['a token', { status: 'closed', note: 'used hvs.CAESIJ0123456789abcdefghij' }],
  ['no object', ['closed']],
];

test.each(refused)('triage with %s is refused, and nothing is kept', async (_what, body) => {
  await using harness = await many();
  const response = await harness.post('/v1/alerts/a1/triage', body);
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect((await harness.get('/v1/alerts/a1')).json().triage_history).toEqual([]);
});

test('an auditor reads what was said and says nothing; an unknown alert has no triage', async () => {
  await using harness = await many();
  const said = { status: 'closed' };
  expect((await harness.post('/v1/alerts/a1/triage', said, 'auditor')).statusCode).toBe(403);
  expect((await harness.get('/v1/incidents', 'auditor')).statusCode).toBe(200);
  expect((await harness.post('/v1/alerts/none/triage', said)).statusCode).toBe(404);
  expect((await harness.post('/v1/incidents/none/triage', said)).statusCode).toBe(404);
  const huge = { status: 'closed', note: 'x'.repeat(100_000) };
  expect((await harness.post('/v1/alerts/a1/triage', huge)).statusCode).toBe(413);
});

test('what cannot be kept is a 503 that says so', async () => {
  const recorder = { record: () => Promise.reject(new Error('disk /secret/path is full')) };
  await using harness = await Harness.open(batchOf({ alerts: [{ revision: 1, body: alert({ id: 'a' }) }] }), {
    recorder,
  });
  const response = await harness.post('/v1/alerts/a/triage', { status: 'closed' });
  expect([response.statusCode, response.json().type]).toEqual([503, 'urn:sealwatch:problem:unavailable']);
  expect(response.body).not.toContain('/secret/path');
});

test('changes of rules and lists, by what and key', async () => {
  const change = { at: at(1), what: 'allow' as const, key: 'backup', who: 'ann', after: { until: 'x' } };
  const other = { id: 'c2', at: at(2), what: 'rule' as const, key: 'r1', before: {} };
  await using harness = await open([], { changes: [{ id: 'c1', ...change }, other] });
  const ids = async (query: string) =>
    (await harness.get(`/v1/changes?${query}`, 'auditor')).json().items.map(({ id }: { id: string }) => id);
  expect(await ids('')).toEqual(['c1', 'c2']);
  expect(await ids('what=allow&key=backup')).toEqual(['c1']);
  expect(await ids('who=bob')).toEqual([]);
  expect(await ids(`from=${at(2)}`)).toEqual(['c2']);
  expect((await harness.get('/v1/changes?what=nothing')).statusCode).toBe(400);
});

test('an incident with very many alerts is closed by saying it again; what was said is not said twice', async () => {
  const alerts = Array.from({ length: 1200 }, (_, i) => ({
    revision: 1,
    body: anAlert({ id: `a${i}`, user: 'u', time: at(i) }),
  }));
  await using harness = await Harness.open(batchOf({ alerts }));
  const close = async () =>
    (await harness.post('/v1/incidents/incident-u/triage', { status: 'closed' })).json();
  expect(await close()).toEqual({ recorded: 1000, complete: false });
  expect(await close()).toEqual({ recorded: 200, complete: true });
  expect(await close()).toEqual({ recorded: 0, complete: true });
  const { triage } = (await harness.get('/v1/incidents/incident-u')).json();
  expect(triage).toEqual({ status: 'closed', open: 0, acknowledged: 0, closed: 1200 });
});
