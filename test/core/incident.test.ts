// Incidents: risk that adds up, levels that rise, time lines; the same alerts give the same incident.

import { expect, test } from 'vitest';
import type { Alert, Level } from '../../core/alert.ts';
import { incidentId, incidentOf } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import { anAlert, at } from '../builders.ts';

const alert = (id: string, rule: string, level: Level, technique: string[] = [], second = 0): Alert => ({
  ...anAlert({ id, rule, level, time: at(second) }),
  threat: { technique: { id: technique } },
});

test('different rules add up, the same again counts for less and never for twice as much', () => {
  const same = (n: number) =>
    incidentOf(Array.from({ length: n }, (_, i) => alert(`a${i}`, 'r', 'high'))).risk;
  expect([1, 2, 3, 500].map(same)).toEqual([73, 110, 128, 146]);
  const two = incidentOf([alert('a', 'r1', 'high'), alert('b', 'r2', 'low')]);
  expect(two.risk).toBe(73 + 21);
  expect(two.risk_parts).toEqual([
    { rule: 'r1', points: 73, text: 'A rule: high is 73 points' },
    { rule: 'r2', points: 21, text: 'A rule: low is 21 points' },
  ]);
  expect(incidentOf([alert('a', 'r', 'low'), alert('b', 'r', 'low')]).risk_parts[0]?.text).toBe(
    'A rule: low is 21 points, with 1 more alert, each worth half of the one before',
  );
});

test('the level is that of the worst alert; rules and techniques that come together raise it by one', () => {
  const three = [
    alert('a', 'r1', 'medium', ['T1']),
    alert('b', 'r2', 'medium', ['T2']),
    alert('c', 'r3', 'high', ['T1']),
  ];
  expect(incidentOf(three.slice(0, 2))).toMatchObject({ level: 'medium' });
  expect(incidentOf(three)).toMatchObject({ level: 'critical', raised: expect.stringContaining('3 rules') });
  expect(incidentOf(three.map((one) => ({ ...one, threat: { technique: { id: ['T1'] } } }))).level).toBe(
    'high',
  );
  const low = three.map((one) => ({ ...one, rule: { ...one.rule, level: 'low' as const } }));
  expect(incidentOf(low)).toMatchObject({ level: 'low' });
  expect(incidentOf([...three, alert('d', 'r4', 'critical', ['T9'])]).level).toBe('critical');
});

test('in whatever order alerts come the incident is the same', () => {
  const alerts = ['c', 'a', 'b'].map((id, i) => alert(id, `r${i}`, 'high', [`T${i}`], 3 - i));
  expect(incidentOf([...alerts].reverse())).toEqual(incidentOf(alerts));
  expect(incidentOf(alerts).timeline.map(({ alert_id: id }) => id)).toEqual(['b', 'a', 'c']);
});

test('time line and lists are bounded, the worst alerts stay', () => {
  const many = Array.from({ length: 300 }, (_, i) => ({
    ...alert(`a${String(i).padStart(3, '0')}`, 'r', i === 299 ? 'critical' : 'low', [`T${i}`], i),
    related: { ip: [`10.0.0.${i}`] },
  }));
  const incident = incidentOf(many);
  expect(incident.timeline).toHaveLength(limits.incidentTimelineMax);
  expect(incident.timeline.at(-1)?.alert_id).toBe('a299');
  expect(incident.addresses).toHaveLength(limits.incidentTextsMax);
  expect(incident).toMatchObject({ alerts: 300, complete: true });
});

test('the subject is named by the form of its id', () => {
  const kinds = {
    root: 'root',
    '3f2c-entity': 'entity',
    'token:hmac-sha256:00': 'token',
    'user:auth/userpass/bob': 'user',
    'address:10.0.0.1': 'address',
    'device:file': 'device',
    'constructor:x': 'other',
  };
  for (const [user, what] of Object.entries(kinds))
    expect([user, incidentOf([anAlert({ id: 'a', user })]).subject.what]).toEqual([user, what]);
});

test('an incident is one identity on one UTC day', () => {
  expect(incidentId('u', at(0))).toBe(incidentId('u', at(86_399)));
  expect(incidentId('u', at(0))).not.toBe(incidentId('u', at(86_400)));
  expect(incidentId('u', at(0))).not.toBe(incidentId('v', at(0)));
});
