// What every evidence store must do with alerts that become incidents, with what people say and change, and what was learned.

import { describe, expect, test } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import { incidentOf } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import type { Clause, Field } from '../../core/query.ts';
import type { Baseline, Change, Triage } from '../../core/records.ts';
import { anAlert, at } from '../builders.ts';
import { batchOf, type EvidenceStoreFixture, openRun } from './evidence-store.ts';

type Run = Awaited<ReturnType<typeof openRun>>;

export function evidenceIncidentsContract(name: string, create: () => Promise<EvidenceStoreFixture>): void {
  describe(`evidence store, incidents: ${name}`, () => {
    const write = ({ writer }: Run, revision: number, ...bodies: Alert[]) =>
      writer.write(batchOf({ alerts: bodies.map((body) => ({ revision, body })) }));
    const grown = (alert: Alert, count: number, second: number): Alert => ({
      ...alert,
      '@timestamp': at(second),
      alert: { ...alert.alert, count, last_seen: at(second) },
    });

    test('incidents are made of all alerts of their id, the same in whatever order these come, and again', async () => {
      await using run = await openRun(create);
      const a = anAlert({ id: 'a', user: 'u', rule: 'r1', level: 'low' });
      const b = anAlert({ id: 'b', user: 'u', rule: 'r2', level: 'high', time: at(5) });
      const other = anAlert({ id: 'c', user: 'v', rule: 'r1', level: 'low' });
      const last = incidentOf([grown(a, 7, 9), b]);
      const orders: [number, Alert][][] = [
        [
          [1, a],
          [1, b],
          [2, grown(a, 7, 9)],
        ],
        [
          [2, grown(a, 7, 9)],
          [1, a],
          [1, other],
          [1, b],
          [1, b],
        ],
      ];
      for (const order of orders) {
        for (const [revision, alert] of order) await write(run, revision, alert);
        expect(await run.reader.get('incidents', 'incident-u')).toEqual(last);
      }
      expect(last).toMatchObject({ alerts: 2, matches: 8, risk: 21 + 73, '@timestamp': at(9) });
      expect(await run.reader.count('incidents', { where: [{ field: 'risk', op: 'over', value: 21 }] })).toBe(
        1,
      );
      const where: Clause<'incidents'>[] = [{ field: 'subject.id', op: 'eq', value: 'v' }];
      const { items } = await run.reader.find({ kind: 'incidents', where, order: 'asc', limit: 9 });
      expect(items).toEqual([incidentOf([other])]);
    });

    test('an alert whose first call is another one now moves to its incident; an empty one is gone', async () => {
      await using run = await openRun(create);
      const [a, b] = ['a', 'b'].map((id) => anAlert({ id, user: 'u' })) as [Alert, Alert];
      await write(run, 1, a, b);
      const moved = { ...a, user: { id: 'v' }, incident: { id: 'incident-v' } };
      await write(run, 2, moved);
      await write(run, 1, a);
      expect(await run.reader.get('incidents', 'incident-u')).toEqual(incidentOf([b]));
      expect(await run.reader.get('incidents', 'incident-v')).toEqual(incidentOf([moved]));
      await write(run, 2, { ...b, user: { id: 'v' }, incident: { id: 'incident-v' } });
      expect(await run.reader.get('incidents', 'incident-u')).toBeUndefined();
    });

    test('an incident counts all of its alerts and tells the worst', async () => {
      await using run = await openRun(create);
      const many = Array.from({ length: limits.incidentAlertsMax + 3 }, (_, i) =>
        anAlert({ id: `a${i}`, user: 'u', rule: 'r1', level: i === 1002 ? 'critical' : 'low', time: at(i) }),
      );
      await write(run, 1, ...many);
      const found = await run.reader.get('incidents', 'incident-u');
      expect(found).toMatchObject({
        alerts: many.length,
        matches: many.length,
        level: 'critical',
        complete: false,
      });
      expect(found?.timeline.at(-1)).toMatchObject({ alert_id: 'a1002' });
    });

    test('triage and changes are kept each for itself, of baselines the one with the latest call', async () => {
      await using run = await openRun(create);
      const said = { alert_id: 'x', incident_id: 'i', by: 'ann' };
      const triage: Triage[] = [
        { ...said, id: 't1', at: at(1), status: 'acknowledged' },
        { ...said, id: 't2', at: at(2), status: 'closed', verdict: 'benign', note: '<b>\n\u0000' },
      ];
      const changes: Change[] = [{ id: 'c', at: at(3), what: 'allow', key: 'backup', after: { end: 'x' } }];
      const learned = (second: number, text: string): Baseline => ({
        ...{ id: 'b', behaviour: 'hours', subject: 'u', learning: false, text, numbers: { n: second } },
        at: at(second),
      });
      for (let round = 0; round < 2; round++)
        await run.writer.write(
          batchOf({ triage, changes, baselines: [learned(9, 'new'), learned(5, 'old')] }),
        );
      const all = async (kind: 'triage' | 'changes' | 'baselines') =>
        (await run.reader.find({ kind, where: [], order: 'desc', limit: 9 })).items;
      expect(await all('triage')).toEqual([...triage].reverse());
      expect(await all('changes')).toEqual(changes);
      expect(await all('baselines')).toEqual([learned(9, 'new')]);
      const where: Clause<'triage'>[] = [{ field: 'alert_id', op: 'in', value: ['x', 'y'] }];
      const by: Field<'triage'>[] = ['status'];
      const { groups } = await run.reader.group({ kind: 'triage', where, by, collect: [], limit: 9 });
      expect(groups.map(({ by }) => by)).toEqual([['acknowledged'], ['closed']]);
    });
  });
}
