// Counting at the edges: threshold, timespan, grouping, what an alert says, and the bounds.

import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../core/canonical.ts';
import { limits } from '../../core/limits.ts';
import type { DetectorSnapshot } from '../../detectors/engine/detect.ts';
import { WholeDetector } from '../../detectors/engine/whole.ts';
import { at } from '../builders.ts';
import { bad, run, slowCallNanos } from './engine-run.ts';
import { correlationText, rulesFrom, ruleText } from './rule-text.ts';

const plain = rulesFrom(ruleText());
const many = rulesFrom(ruleText(), correlationText());
const counts = (rules: typeof plain, seconds: number[]) =>
  run(
    rules,
    seconds.map((second) => bad(second)),
  )
    .alerts.map(({ alert }) => [alert.first_seen, alert.count])
    .sort();

describe('a correlation of three in a minute', () => {
  it('fires at exactly the threshold and exactly the timespan', () => {
    expect(counts(many, [0, 1])).toEqual([]);
    expect(counts(many, [0, 30, 60])).toEqual([[at(0), 3]]);
    expect(counts(many, [0, 30, 61])).toEqual([]);
  });

  it('slides: what is too old falls out one by one', () => {
    expect(counts(many, [0, 50, 100, 110])).toEqual([[at(50), 3]]);
  });

  it('takes in what follows for fifteen minutes from the first, then starts anew', () => {
    const until = limits.alertGroupSeconds;
    expect(counts(many, [0, 1, 2, until])).toEqual([[at(0), 4]]);
    expect(counts(many, [0, 1, 2, until + 1, until + 2])).toEqual([[at(0), 3]]);
    expect(counts(many, [0, 1, 2, until + 1, until + 2, until + 3])).toEqual([
      [at(0), 3],
      [at(until + 1), 3],
    ]);
  });

  it('takes in for its own timespan when that is longer', () => {
    const hour = rulesFrom(ruleText(), correlationText().replace('1m', '1h'));
    expect(counts(hour, [0, 1800, 3000, 3600])).toEqual([[at(0), 4]]);
    expect(counts(hour, [0, 1800, 3000, 3601])).toEqual([[at(0), 3]]);
  });

  it('counts each group by itself', () => {
    const events = [bad(0), bad(1, { user: 'b' }), bad(2), bad(3, { user: 'b' }), bad(4)];
    expect(run(many, events).alerts.map(({ user, alert }) => [user.id, alert.count])).toEqual([
      ['entity-1', 3],
    ]);
  });

  it('does not count an event without a field to group by', () => {
    const byAddress = rulesFrom(ruleText(), correlationText().replace('user.id', 'source.ip'));
    const events = [0, 1, 2, 3].map((second) => bad(second, { ip: undefined }));
    expect(run(byAddress, events).alerts).toEqual([]);
    expect(run(byAddress, [...events, bad(4), bad(5), bad(6)]).alerts).toHaveLength(1);
  });

  it('counts events of one time in order of their ids', () => {
    const events = ['c', 'a', 'b'].map((id) => bad(0, { id, path: id }));
    expect(run(many, events).alerts[0]).toMatchObject({
      evidence: { event_ids: ['a', 'b', 'c'] },
      vault: { request: { path: 'a' } },
    });
  });

  it('comes out at the first advance that proves it', () => {
    const detector = new WholeDetector({ cluster: 'test', rules: many, slowCallNanos });
    for (const second of [0, 1, 2]) detector.event(bad(second));
    detector.advance(at(1));
    expect(detector.take().alerts).toEqual([]);
    detector.advance(at(2));
    expect(detector.take().alerts.map(({ revision }) => revision)).toEqual([3]);
    expect(detector.take().alerts).toEqual([]);
    detector.event(bad(3));
    detector.advance(at(3));
    expect(detector.take().alerts.map(({ body, revision }) => [body.alert.first_seen, revision])).toEqual([
      [at(0), 4],
    ]);
  });
});

describe('an alert', () => {
  it('says who, what, where, and how often, in canonical order of keys', () => {
    const parts = {
      name: 'frank',
      path: 'sys/seal',
      kind: 'human',
      method: 'userpass',
      secret: undefined,
    } as const;
    const events = [bad(0, parts), bad(1, { ...parts, ip: '10.0.0.2' }), bad(2, parts)];
    const [alert] = run(many, events).alerts;
    expect(alert).toEqual({
      '@timestamp': at(2),
      alert: {
        count: 3,
        first_seen: at(0),
        id: expect.stringMatching(/^[\da-f]{32}$/),
        last_seen: at(2),
        late: false,
      },
      ecs: { version: '8.17.0' },
      event: {
        action: 'bad',
        category: ['database'],
        dataset: 'vault.alert',
        kind: 'alert',
        outcome: 'success',
        severity: 73,
        type: ['access'],
      },
      evidence: {
        event_ids: ['e000000', 'e000001', 'e000002'],
        facts: {
          count: 3,
          distinct_addresses: 2,
          distinct_users: 1,
          threshold: 3,
          timespan_s: 60,
          type: 'event_count',
        },
      },
      incident: { id: expect.stringMatching(/^[\da-f]{32}$/) },
      message: 'frank did sys/seal (3 times)',
      related: { ip: ['10.0.0.1', '10.0.0.2'], user: ['frank'] },
      rule: { id: many.roots[0]?.top.id, level: 'high', name: 'Many', version: '1' },
      source: { ip: '10.0.0.1' },
      threat: { technique: { id: ['T1078'] } },
      user: { id: 'entity-1', name: 'frank' },
      vault: {
        caller: { auth_method: 'userpass', kind: 'human' },
        cluster: 'test',
        request: { operation: 'read', path: 'sys/seal' },
      },
    });
    expect(JSON.stringify(alert)).toBe(canonicalJson(alert));
  });

  it('says unknown for a name that is absent, and once without a count', () => {
    const [alert] = run(plain, [bad(0, { name: undefined, ip: undefined })]).alerts;
    expect(alert?.message).toBe('unknown did secret/data/app');
    expect(alert).not.toHaveProperty('source');
    expect(alert?.user).toEqual({ id: 'entity-1' });
    expect(alert?.related).toEqual({ user: ['entity-1'] });
    expect(JSON.stringify(alert)).toBe(canonicalJson(alert));
  });

  it('belongs to the incident of its user and day', () => {
    const incident = (second: number, user: string) =>
      run(plain, [bad(second, { user })]).alerts[0]?.incident.id;
    expect(incident(0, 'a')).toBe(incident(86_399, 'a'));
    expect(incident(0, 'a')).not.toBe(incident(86_400, 'a'));
    expect(incident(0, 'a')).not.toBe(incident(0, 'b'));
  });

  it('keeps evidence and names to their bounds', () => {
    const byPath = rulesFrom(ruleText({ 'group-by': '[vault.request.path]' }));
    const events = Array.from({ length: 60 }, (_, i) =>
      bad(i, { user: `u${i}`, name: `n${i}`, ip: `10.0.0.${i}` }),
    );
    const [alert] = run(byPath, events).alerts;
    expect(alert?.alert.count).toBe(60);
    expect(alert?.evidence.event_ids).toHaveLength(limits.alertEventIdsMax);
    expect(alert?.related).toEqual({ ip: ['10.0.0.0', '10.0.0.1', '10.0.0.2'], user: ['n0', 'n1', 'n2'] });
  });
});

describe('memory', () => {
  it('is given back when the watermark has passed the end of every group', () => {
    const { counters, snapshots } = run(many, [...[0, 1, 2].map((s) => bad(s)), bad(3, { user: 'b' })]);
    const { place } = snapshots[0] as DetectorSnapshot;
    expect(JSON.stringify(place.counters)).not.toContain('e00000');
    expect(counters).toEqual({ evaluated: 4, evicted: 0, late: 0, matched: 4, silenced: {} });
  });
});
