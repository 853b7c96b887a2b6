// What could not be kept becomes an alert: one per device, reason and quarter of an hour.

import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/canonical.ts';
import type { LossReason } from '../../core/records.ts';
import { LostLines } from '../../detectors/engine/lost.ts';
import { rejectOf, rejectOfLoss } from '../../ingest/normalise/rejects.ts';
import { at } from '../builders.ts';

let offset = 0;
const loss = (reason: LossReason, second: number, count = 3, device = 'tcp') =>
  rejectOfLoss({ bytes: 10 * count, count, device, reason }, `0/${offset++}`, at(second));

/** The last state of each alert after `rejects`. */
function alertsOf(...rejects: ReturnType<typeof loss>[]) {
  const lost = new LostLines('test');
  const last = new Map<string, ReturnType<LostLines['take']>[number]>();
  for (const reject of rejects) {
    lost.reject(reject);
    for (const alert of lost.take()) last.set(alert.body.alert.id, alert);
  }
  return [...last.values()];
}

describe('lines that were lost', () => {
  test('are one alert per device and reason, which counts them and names its proof', () => {
    const rejects = [
      loss('dropped', 0),
      loss('dropped', 899, 4),
      loss('quota', 2),
      loss('dropped', 3, 1, 'unix'),
    ];
    const [first, ...others] = alertsOf(...rejects);
    expect(first?.revision).toBe(2);
    expect(first?.body).toMatchObject({
      '@timestamp': at(899),
      alert: { count: 7, first_seen: at(0), last_seen: at(899) },
      evidence: {
        event_ids: [rejects[0]?.id, rejects[1]?.id].sort(),
        facts: { bytes: 70, device: 'tcp', lines: 7, reason: 'dropped' },
      },
      rule: { level: 'high', name: 'Audit lines lost' },
      user: { id: 'device:tcp' },
    });
    expect(first?.body.message).toContain('7 audit line(s) of the device tcp');
    expect(others.map(({ body }) => body.evidence.facts['reason'])).toEqual(['quota', 'dropped']);
  });

  test('give the same alerts, whichever partition is first, and though another is in the next quarter already', () => {
    const [a, b, c, d] = [
      loss('dropped', 10),
      loss('dropped', 20, 4),
      loss('dropped', 905),
      loss('dropped', 5),
    ];
    const texts = (...rejects: ReturnType<typeof loss>[]) =>
      alertsOf(...rejects)
        .map(({ body }) => canonicalJson(body))
        .sort();
    expect(texts(c, b, a, d)).toEqual(texts(a, b, c, d));
    expect(texts(a, c, d, b)).toEqual(texts(a, b, c, d));
    expect(texts(a, b, c, d)).toHaveLength(2);
  });

  test('in two places are two alerts', () => {
    const ids = ['', 'events-0', 'groups-0'].map((where) => {
      const lost = new LostLines('test', [], where);
      lost.reject(loss('unreadable', 1));
      return lost.take()[0]?.body.alert.id;
    });
    expect(new Set(ids).size).toBe(3);
  });

  test('in the next quarter of an hour are another alert', () => {
    expect(alertsOf(loss('dropped', 899), loss('dropped', 900)).length).toBe(2);
  });

  test('of unknown number are said to be that', () => {
    const [alert] = alertsOf(loss('unread', 0, 1, 'file'));
    expect(alert?.body.message).toMatch(/^An unknown number of audit line/);
    expect(alert?.body.alert.count).toBe(1);
  });

  test.each(['truncated', 'unconfirmed', 'refused'] as const)('%s loses none', (reason) => {
    expect(alertsOf(loss(reason, 0))).toEqual([]);
  });

  test('a line that is no entry was kept, as a reject', () => {
    expect(alertsOf(rejectOf(Buffer.from('x'), 'tcp', 'not_json'))).toEqual([]);
  });

  test('the alert goes on after a restart, and its text is canonical', () => {
    const before = new LostLines('test');
    before.reject(loss('dropped', 1));
    before.take();
    const state = JSON.parse(JSON.stringify(before.snapshot())) as ReturnType<LostLines['snapshot']>;
    const after = new LostLines('test', state);
    after.reject(loss('dropped', 2));
    const [alert] = after.take();
    expect(alert?.body.alert.count).toBe(6);
    expect(JSON.stringify(alert?.body)).toBe(canonicalJson(alert?.body));
  });
});
