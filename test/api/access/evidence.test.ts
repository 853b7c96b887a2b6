// CC6.1: who could when the period ended, what each did, what was granted and not used; and what is said when nobody knows.

import { expect, test } from 'vitest';
import { type Answer, answerSchema } from '../../../api/evidence/schemas.ts';
import type { EvidenceBatch } from '../../../core/ports.ts';
import { aCoverageRow, anEvent, at, reached } from '../../builders.ts';
import { eventsOf } from '../../contract/evidence-store.ts';
import { Harness } from '../harness.ts';
import { aFact, aToken, batchWith, organisation, reading } from './facts.ts';

const url = `/v1/evidence/CC6.1?from=${at(10)}&to=${at(100)}`;

async function ask(batch: EvidenceBatch, more = ''): Promise<Answer> {
  await using harness = await Harness.open(batch);
  const response = await harness.get(url + more, 'auditor');
  expect(response.statusCode).toBe(200);
  return answerSchema.parse(response.json());
}

const events = eventsOf(
  anEvent({ id: 'early', time: at(1), user: 'e-bert' }),
  anEvent({
    id: 'written',
    time: at(2),
    user: 'root',
    action: 'secret-write',
    secret: 'secret/bert',
    path: 'secret/data/bert',
  }),
  anEvent({ id: 'a1', time: at(20), user: 'e-anna' }),
  anEvent({ id: 'a2', time: at(30), user: 'e-anna' }),
  anEvent({ id: 'w1', time: at(40), user: 'e-work' }),
  anEvent({
    id: 'gone',
    time: at(41),
    user: 'e-anna',
    secret: 'secret/none',
    path: 'secret/data/none',
    reason: 'no_data',
  }),
  anEvent({ id: 'late', time: at(100), user: 'e-bert' }),
).events;

/** e-work logged in by the role orders and its token has ended since. */
const tokens = [
  aToken('w', ['app', 'default'], {
    entity: 'e-work',
    path: 'auth/approle/login',
    role: 'orders',
    time: at(39),
    ended: at(50),
  }),
  aToken('x', ['app', 'default'], { time: at(60) }),
  // A role of the same name elsewhere is another role.
  aToken('o', ['default'], { entity: 'e-anna', path: 'auth/other/login', role: 'orders', ended: at(50) }),
];
const work = aFact('entity', 'e-work', { name: 'work', policies: [], metadata: {}, aliases: [] });
const batch = batchWith([...organisation, work], tokens, {
  events,
  coverage: [aCoverageRow({ hour: at(0), counts: { received: 20, paired: 10 } })],
});

const named = (rows: Answer['could']) =>
  rows?.map(({ who, secret, did }) => [secret, who.id, did?.reads ?? 0]);

test('one row per secret and identity or role, with what it did in the period', async () => {
  const answer = await ask(batch);
  expect(named(answer.could)).toEqual([
    ['secret/app', 'e-anna', 2],
    ['secret/app', 'e-bert', 0],
    ['secret/app', 'auth/approle/role/orders', 1],
    ['secret/app', 'token:x', 0],
    ['secret/bert', 'e-bert', 0],
  ]);
  expect(named(answer.granted_unused)?.map(([secret, who]) => [secret, who])).toEqual([
    ['secret/app', 'e-bert'],
    ['secret/app', 'token:x'],
    ['secret/bert', 'e-bert'],
  ]);
  expect(answer.could?.[0]?.did).toEqual({ reads: 2, last_read: at(30) });
  expect(answer.access).toMatchObject({ at: '2026-09-01T00:01:39.999999999Z', secrets: 2, complete: true });
  expect(answer.population.map(({ who, reads }) => [who.id, reads])).toEqual([
    ['e-anna', 2],
    ['e-work', 1],
  ]);
  expect(answer.complete).toBe(true);
  for (const row of answer.could ?? [])
    for (const id of row.facts) expect(answer.access.facts.map((fact) => fact.id)).toContain(id);
});

test('a period that is not closed: who could as far as event time has come', async () => {
  const { access, could } = await ask({ ...batch, offsets: reached(at(45)) });
  expect(access.at).toBe(at(45));
  expect(named(could)).toContainEqual(['secret/app', 'e-work', 1]);
});

test('a prefix bounds who could too', async () => {
  const { could, access } = await ask(batch, '&secret_prefix=secret/b');
  expect(named(could)).toEqual([['secret/bert', 'e-bert', 0]]);
  expect(access.secrets).toBe(1);
});

test('without any policy could is absent, and the limits say why', async () => {
  const answer = await ask(batchWith([work], tokens, { events }));
  expect(answer.could).toBeUndefined();
  expect(answer.granted_unused).toBeUndefined();
  expect(answer.limits.join('\n')).toContain(
    'No policy is known at this time, so nothing can be said of who could read',
  );
  expect(answer.access.complete).toBe(false);
  expect(answer.totals.reads).toBe(3);
});

test('what is not evaluated is said in the limits', async () => {
  const { limits, access } = await ask(batchWith(organisation, [aToken('u', ['unknown'])], { events }));
  expect(access.not_evaluated).toMatchObject([{ reason: 'policy_unknown', policy: { name: 'unknown' } }]);
  expect(limits.join('\n')).toContain('Who could read is not complete: 1 kind(s) of doubt');
});

test('a credential is given out to those who may call for it', async () => {
  const issue = (id: string, path: string, mount: string, action = 'credential-issue') => {
    const event = anEvent({ id, time: at(20), user: 'x', path, secret: path, action });
    return { ...event, vault: { ...event.vault, request: { ...event.vault.request, mount_type: mount } } };
  };
  const facts = [
    aFact('policy', 'p', {
      text: 'path "*" { capabilities = ["update"] }\npath "database/creds/app" { capabilities = ["update"] }',
    }),
    aFact('policy', 'q', reading('database/creds/app')),
  ];
  const all = eventsOf(
    issue('1', 'database/creds/app', 'database'),
    issue('2', 'aws/sts/app', 'aws'),
    issue('3', 'ldap/library/a/check-out', 'ldap', 'credential-checkout'),
  ).events;
  const { could } = await ask(batchWith(facts, [aToken('p', ['p']), aToken('q', ['q'])], { events: all }));
  expect(named(could)).toEqual([
    ['aws/sts/app', 'token:p', 0],
    ['database/creds/app', 'token:q', 0],
    ['ldap/library/a/check-out', 'token:p', 0],
  ]);
});

test('CSV and JSON lines of each part', async () => {
  await using harness = await Harness.open(batch);
  const csv = await harness.get(`${url}&format=csv&rows=granted_unused`);
  expect(csv.headers['content-disposition']).toContain('CC6.1-granted_unused_2026-09-01');
  expect(csv.body.split('\r\n').slice(0, 2)).toEqual([
    'id,kind,name,namespace,secret,policies,through,conditions,live_tokens,reads,last_read,facts',
    expect.stringContaining('e-bert,entity,bert,,secret/app,own,entity:bert,,0,0,,'),
  ]);
  expect(csv.body.trimEnd().split('\r\n').length).toBe(4);
  const lines = (await harness.get(`${url}&format=jsonl&rows=could`)).body.trimEnd().split('\n');
  const [header, ...rows] = lines.map((line) => JSON.parse(line));
  expect(header.could).toBeUndefined();
  expect(answerSchema.parse({ ...header, could: rows }).could?.length).toBe(5);
  expect(harness.accesses.map(({ query }) => query['rows'])).toEqual(['granted_unused', 'could']);
});

test('a file of who could does not call itself complete when it is not', async () => {
  await using harness = await Harness.open(batchWith([work], tokens, { events }));
  const complete = async (rows: string) =>
    (await harness.get(`${url}&format=csv&rows=${rows}`)).headers['sealwatch-complete'];
  expect([await complete('did'), await complete('could')]).toEqual(['true', 'false']);
});

test('a secret of another cluster is not held against the policies of this one, and that is said', async () => {
  const app = anEvent({
    id: 'elsewhere',
    time: at(21),
    user: 'x',
    secret: 'secret/app',
    path: 'secret/data/app',
  });
  const other = anEvent({
    id: 'only',
    time: at(22),
    user: 'x',
    secret: 'secret/far',
    path: 'secret/data/app',
  });
  const moved = [app, other].map((event) => ({ ...event, vault: { ...event.vault, cluster: 'far' } }));
  const answer = await ask({ ...batch, events: [...events, ...eventsOf(...moved).events] });
  expect(answer.could?.some(({ secret }) => secret === 'secret/far')).toBe(false);
  expect(answer.could?.some(({ secret }) => secret === 'secret/app')).toBe(true);
  expect(answer.access.complete).toBe(false);
  expect(answer.limits.join(' ')).toContain('for the cluster test alone');
  expect((await ask(batch)).limits.join(' ')).not.toContain('alone');
});
