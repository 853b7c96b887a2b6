// Event time from the line to the watermark: devices that die and come back, clocks that are set, machines that sleep. No
// real clock is read here.

import { describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { CoverageCounter } from '../../../core/records.ts';
import { addSeconds, timeOfMs } from '../../../core/time.ts';
import { Intake, type Source } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import type { Normaliser } from '../../../ingest/normalise/normaliser.ts';
import { noOutputs, normaliserInto, pairWaitSeconds } from '../normalise/arrivals.ts';

const start = Date.parse('2026-09-14T10:00:00Z');
const hour = 3600;

/** The collector's intake joined to a normaliser, with devices `file` and `tcp`, and a clock on the wall that tests set. */
class Wall {
  nowMs = start;
  readonly out = noOutputs();
  readonly intake: Intake;
  private readonly normaliser: Normaliser = normaliserInto(this.out);
  private offset = 0;

  constructor() {
    const append: Intake['stream']['append'] = (_, __, records) => {
      for (const { kind, head, bytes, value } of records) {
        const payload = head === undefined ? Buffer.alloc(0) : Buffer.concat([head, bytes as Buffer]);
        const offset = this.offset++;
        this.normaliser.record({ kind, value, bytes: payload, offset, cause: undefined, text: '' });
      }
    };
    this.intake = new Intake({ partitions: 1, append }, new Redactor(Buffer.alloc(32)));
  }

  private source(device: string, node?: string): Source {
    return this.intake.source({ device }, node);
  }

  /** A line that Vault dates `seconds` from now. */
  line(device: string, id: string, type: 'request' | 'response', seconds = 0, node?: string): void {
    const time = timeOfMs(this.nowMs + seconds * 1000);
    const bytes = Buffer.from(JSON.stringify({ type, time, auth: {}, request: { id, path: 'kv/x' } }));
    this.intake.line(this.source(device, node), bytes, 0, bytes.length, this.nowMs);
  }

  call(id: string, seconds = 0, devices = ['file', 'tcp'], node?: string): void {
    for (const device of devices)
      for (const type of ['request', 'response'] as const) this.line(device, id, type, seconds, node);
  }

  /** Seconds pass, each with its tick; `each` happens before it. */
  pass(seconds: number, each: (second: number) => void = () => {}, behind: string[] = []): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      each(second);
      this.intake.tick(this.nowMs, {}, new Set(behind));
    }
  }

  /** Seconds that the watermark is ahead of the wall. */
  get ahead(): number {
    const reached = addSeconds(
      this.out.watermarks.at(-1) ?? '1970-01-01T00:00:00.000000000Z',
      pairWaitSeconds,
    );
    return (Date.parse(`${reached.slice(0, 23)}Z`) - this.nowMs) / 1000;
  }

  get events(): Map<string, AuditEvent> {
    const events = this.out.texts.map((text) => JSON.parse(text) as AuditEvent);
    return new Map(events.map((event) => [event.event.id, event]));
  }

  get late(): number {
    return this.count('late');
  }

  count(name: CoverageCounter, device?: string): number {
    return Object.entries(this.out.counts)
      .filter(([of]) => device === undefined || of === device)
      .reduce((sum, [, counts]) => sum + counts[name], 0);
  }

  /** Calls of both devices each second. */
  live = (second: number): void => this.call(`live-${this.nowMs}-${second}`);
}

describe('a device that dies', () => {
  test('holds time back for limits.deviceIdleSeconds, then its halves and gaps are counted', () => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    wall.line('tcp', 'half', 'request');
    const fileOnly = (second: number) => wall.call(`file-${wall.nowMs}-${second}`, 0, ['file']);
    wall.pass(limits.deviceIdleSeconds, fileOnly);
    // It is silent, but time passes for it as for one that has nothing to say.
    expect(wall.ahead).toBeCloseTo(0, 0);
    expect(wall.count('no_response', 'tcp')).toBe(1);
    wall.pass(60, fileOnly);
    expect(wall.ahead).toBeCloseTo(0, 0);
    expect(wall.count('gaps', 'tcp')).toBeGreaterThan(50 + limits.deviceIdleSeconds);
    expect(wall.count('paired', 'file')).toBeGreaterThan(60);
    expect(wall.late).toBe(0);
  });

  test('comes back much later: what it kept is late, and there', () => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    const files = (second: number) => wall.call(`file-${wall.nowMs}-${second}`, 0, ['file']);
    wall.pass(hour / 2, files);
    wall.call('old', -hour / 4, ['tcp']);
    wall.pass(20, wall.live);
    expect(wall.late).toBe(2);
    expect(wall.events.get('old')?.vault).toMatchObject({
      pair: 'both',
      flags: ['late', 'not_in_file'].slice(0, 1),
    });
    expect(wall.ahead).toBeCloseTo(0, 0);
  });

  test('a file that is behind holds time back instead, and nothing of it is late', () => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    const stoodAt = wall.nowMs;
    // The disk is full for ten minutes: sockets bring lines, the file is not read.
    wall.pass(600, (second) => wall.call(`tcp-${second}`, 0, ['tcp']), ['file']);
    expect(wall.ahead).toBeCloseTo(-600, 0);
    const unread = (second: number) =>
      wall.call(`tcp-${second}`, (stoodAt - wall.nowMs) / 1000 + second + 1, ['file']);
    for (let second = 0; second < 600; second += 30)
      wall.pass(1, () => Array.from({ length: 30 }, (_, n) => unread(second + n)), ['file']);
    wall.pass(20, wall.live);
    expect(wall.late).toBe(0);
    expect(wall.ahead).toBeCloseTo(0, 0);
    expect(wall.events.get('tcp-599')?.vault.devices).toEqual(['file', 'tcp']);
  });
});

describe('the clock of a Vault node', () => {
  test('an hour back and forth again: its lines are late, none is lost, and time goes on', () => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    wall.pass(30, (second) => wall.call(`back-${second}`, -hour));
    expect(wall.late).toBe(30 * 4);
    expect(wall.ahead).toBeCloseTo(0, 0);
    wall.pass(30, (second) => wall.call(`again-${second}`));
    expect(wall.late).toBe(30 * 4);
    for (let n = 0; n < 30; n++)
      for (const name of ['back', 'again']) expect(wall.events.get(`${name}-${n}`)?.vault.pair).toBe('both');
  });

  test.each([hour, 23 * hour])('%i s ahead: its lines are counted, and honest ones are not late', (ahead) => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    wall.pass(30, (second) => wall.call(`ahead-${second}`, ahead));
    expect(wall.count('future')).toBe(30 * 4);
    expect(wall.ahead).toBeCloseTo(0, 0);
    wall.pass(30, wall.live);
    expect(wall.late).toBe(0);
    for (let n = 0; n < 30; n++) expect(wall.events.get(`ahead-${n}`)?.vault.pair).toBe('both');
  });

  test('more than limits.futureSecondsMax ahead: a reject each, and time goes on', () => {
    const wall = new Wall();
    wall.pass(10, (second) => wall.call(`far-${second}`, limits.futureSecondsMax + 10));
    expect(wall.out.rejects).toHaveLength(40);
    expect(wall.count('future')).toBe(40);
    wall.pass(10, wall.live);
    expect([wall.late, wall.ahead]).toEqual([0, 0]);
  });

  test('two nodes ten seconds apart on one device: neither is late, once their names are known', () => {
    const both = (named: boolean) => {
      const wall = new Wall();
      wall.pass(60, (second) => {
        wall.call(`a-${second}`, 0, ['tcp'], named ? 'a' : undefined);
        wall.call(`b-${second}`, -10, ['tcp'], named ? 'b' : undefined);
      });
      return wall.late;
    };
    expect(both(true)).toBe(0);
    expect(both(false)).toBeGreaterThan(100);
  });

  test('a node that is gone holds time back no longer than a device would', () => {
    const wall = new Wall();
    wall.call('b', -30, ['tcp'], 'b');
    const live = (second: number) => wall.call(`a-${wall.nowMs}-${second}`, 0, ['tcp'], 'a');
    wall.pass(limits.deviceIdleSeconds, live);
    expect(wall.ahead).toBeCloseTo(-30, 0);
    wall.pass(5, live);
    expect(wall.ahead).toBeCloseTo(0, 0);
  });
});

describe('the clock of our own host', () => {
  /** Event time must go on as if nothing were, whatever `jump` does to the clock on the wall; Vault's stays right. */
  const jumped = (seconds: number) => {
    const wall = new Wall();
    let offset = 0;
    const live = (second: number) => wall.call(`call-${wall.out.watermarks.length}-${second}`, -offset);
    wall.pass(10, live);
    wall.nowMs += seconds * 1000;
    offset = seconds;
    wall.pass(120, live);
    return { late: wall.late, behind: -(wall.ahead + seconds), events: wall.events.size };
  };

  test.each([hour, -hour, 200, -200, -400])('set by %i s: no line is late, time goes on', (seconds) => {
    const { late, behind, events } = jumped(seconds);
    expect(late).toBe(0);
    // A clock that is set back costs the time since the last tick.
    expect(behind).toBeGreaterThanOrEqual(0);
    expect(behind).toBeLessThanOrEqual(1);
    expect(events).toBe(130);
  });

  test('an hour behind from the first line: time goes on by it, lines are counted, calls come out', () => {
    const wall = new Wall();
    wall.pass(30, (second) => wall.call(`call-${second}`, hour));
    expect(wall.ahead).toBeCloseTo(0, 0);
    expect(wall.count('future')).toBe(30 * 4);
    expect(wall.events.size).toBe(30);
    expect(wall.late).toBe(0);
  });

  test.each([60, 8 * hour])(
    'asleep for %i s: nothing that was written meanwhile is late, time goes on',
    (seconds) => {
      const wall = new Wall();
      wall.pass(10, wall.live);
      wall.nowMs += seconds * 1000;
      // What Vault wrote before and after comes before the first tick.
      wall.call('before', -seconds);
      wall.call('after');
      wall.pass(1);
      expect(wall.late).toBe(0);
      const reached = wall.out.watermarks.at(-1) as string;
      wall.pass(10);
      expect((wall.out.watermarks.at(-1) as string) > addSeconds(reached, 8)).toBe(true);
      wall.pass(20, wall.live);
      expect(wall.late).toBe(0);
      expect(wall.ahead).toBeCloseTo(0, 0);
    },
  );

  test('a pause without lines lets no more pass than one tick may', () => {
    const wall = new Wall();
    wall.pass(10, wall.live);
    const before = wall.out.watermarks.at(-1) as string;
    wall.nowMs += 8 * hour * 1000;
    wall.pass(1);
    expect((wall.out.watermarks.at(-1) as string) <= addSeconds(before, 2)).toBe(true);
  });
});

describe('the settings of event time, to the second', () => {
  const half = (seconds: number) => {
    const wall = new Wall();
    wall.call('first', 0, ['file', 'tcp']);
    wall.line('file', 'half', 'request');
    wall.pass(seconds);
    return wall.events.has('half');
  };

  test('a half goes out when the watermark has come pairWaitSeconds further', () => {
    expect([half(pairWaitSeconds - 1), half(pairWaitSeconds)]).toEqual([false, true]);
  });

  const lateBy = (seconds: number) => {
    const wall = new Wall();
    wall.call('first');
    wall.pass(10);
    wall.call('then', -seconds);
    wall.pass(1);
    return wall.late;
  };

  test('a line is late when it is more than allowedLatenessSeconds behind the watermark', () => {
    expect([lateBy(3), lateBy(3.001)]).toEqual([0, 4]);
  });

  test('a call that comes again within dedupeSeconds is known', () => {
    const wall = new Wall();
    wall.call('once');
    wall.pass(590, (second) => wall.call(`live-${second}`));
    wall.call('once', -590);
    wall.pass(10);
    expect(wall.out.texts.filter((text) => text.includes('"id":"once"'))).toHaveLength(1);
  });
});
