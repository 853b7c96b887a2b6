// The detectors of `run` on a real stream and real memories, when something goes wrong: a rule or a behaviour that throws, a disk
// that refuses; and matches that a list silences.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { switchedOff } from '../../../commands/run/shown-rules.ts';
import { readers, retained } from '../../../commands/run/stages/readers.ts';
import type { Alert } from '../../../core/alert.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { topics } from '../../../core/records.ts';
import type { Behaviour } from '../../../detectors/behaviours/behaviour.ts';
import { described } from '../../../detectors/behaviours/told.ts';
import { ruleOffRule } from '../../../detectors/engine/rule-off.ts';
import { openDetectorMemory } from '../../../storage/detectors/memory.ts';
import { bad } from '../../detectors/engine-run.ts';
import { judges, someCalls } from '../../detectors/kills/judges.ts';
import { type Judges, Life, type Plan, planned } from '../../detectors/kills/play.ts';
import { baseId, correlationId, correlationText, rulesFrom, ruleText } from '../../detectors/rule-text.ts';
import { numbers } from '../replay-run.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sealwatch-detection-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const otherId = '11111111-2222-4333-8444-888888888888';
const other = ruleText({
  id: otherId,
  name: 'other',
  title: 'title: Other'.slice(7),
  'group-by': '[source.ip]',
});
const rules = rulesFrom(ruleText(), other);

/** Nine calls of one user over 3 partitions, all in order. */
const calls = Array.from({ length: 9 }, (_, i) => bad(i));
const plan = (): Plan => ({ events: planned(calls, 3, numbers(1)) });

const listsOf = (silencedBy: Lists['silencedBy']): Lists => ({ ...noLists, version: '1', silencedBy });

async function played(judged: Judges, records = plan()): Promise<[Alert[], Set<string>]> {
  const life = await Life.begin(dir, records, judged);
  while (!life.isOver) life.feed(() => 0.99, 100);
  await life.drain();
  await life.detection.save();
  const alerts = [...(await life.alerts()).values()].map((text) => JSON.parse(text) as Alert);
  const off = switchedOff(life.detection.metrics());
  await life.end();
  return [alerts, off];
}

/** The offset that a reader of one partition still needs. */
const needOf = ({ detection }: Life, reader: string) => detection.needs().get(reader)?.[0]?.offset;

const by = (alerts: Alert[], id: string) => alerts.filter(({ rule }) => rule.id === id);
const countOf = (alerts: Alert[], id: string) =>
  by(alerts, id).reduce((total, { alert }) => total + alert.count, 0);

describe('a rule that throws', () => {
  const throws = listsOf((rule) => {
    if (rule === baseId) throw new TypeError('no such thing');
    return undefined;
  });

  it('is switched off, shown as off and told by one critical alert; the others go on', async () => {
    const [alerts, off] = await played({ rules, behaviours: [], lists: throws });
    expect(by(alerts, baseId)).toEqual([]);
    expect(countOf(alerts, otherId)).toBe(calls.length);
    expect([...off]).toEqual([baseId]);
    expect(by(alerts, ruleOffRule.id)).toMatchObject([
      {
        rule: { level: 'critical' },
        user: { id: `rule:${baseId}` },
        evidence: { facts: { error: 'TypeError: no such thing', rule: baseId } },
      },
    ]);
  });

  it('stays off over a restart, and is on again as another one', async () => {
    await played({ rules, behaviours: [], lists: throws });
    expect((await played({ rules, behaviours: [] }))[1]).toEqual(new Set([baseId]));
    const mended = rulesFrom(ruleText({ version: '2' }), other);
    expect((await played({ rules: mended, behaviours: [] }))[1]).toEqual(new Set());
  });

  it('while it counts is switched off too, with what was counted of others untouched', async () => {
    const counts = rulesFrom(ruleText(), correlationText());
    const lists: Lists = {
      ...noLists,
      version: '1',
      threshold: (rule) => {
        if (rule === correlationId) throw new Error('no threshold');
        return undefined;
      },
    };
    const [alerts, off] = await played({ rules: counts, behaviours: [], lists });
    expect([...off]).toEqual([correlationId]);
    expect(by(alerts, ruleOffRule.id)).toHaveLength(1);
  });
});

describe('a behaviour that throws', () => {
  const info = described({
    ...{ id: otherId.replaceAll('8', '9'), name: 'breaks', title: 'Breaks', level: 'low' as const },
    ...{ techniques: [], description: '', falsePositives: [], runbook: '', groupBy: ['user.id'] },
  });
  const breaks: Behaviour = {
    info,
    call() {
      throw new Error('broken');
    },
  };

  it('is shown as off and told; rules go on', async () => {
    const [alerts, off] = await played({ rules, behaviours: [breaks] });
    expect([...off]).toEqual([info.id]);
    expect(by(alerts, ruleOffRule.id)).toMatchObject([{ evidence: { facts: { rule: info.id } } }]);
    expect(countOf(alerts, baseId)).toBe(calls.length);
    expect((await played({ rules, behaviours: [breaks] }))[1]).toEqual(new Set([info.id]));
  });
});

describe('matches that a list silences', () => {
  it('count nowhere, beside the events or across callers, and are told by entry, once over a restart', async () => {
    const lists = listsOf((_rule, { event }) =>
      Number(event.id.slice(1)) < 4 ? { kind: 'allow', name: 'backup-job' } : undefined,
    );
    const life = await Life.begin(dir, plan(), { rules, behaviours: [], lists });
    while (!life.isOver) life.feed(() => 0.99, 100);
    await life.drain();
    await life.detection.save();
    await life.end();
    const again = await Life.begin(dir, plan(), { rules, behaviours: [], lists });
    await again.drain();
    expect(again.detection.metrics()).toMatchObject({
      'sealwatch_detect_silenced_total{entry="allow backup-job"}': 8,
    });
    const alerts = [...(await again.alerts()).values()].map((text) => JSON.parse(text) as Alert);
    expect([countOf(alerts, baseId), countOf(alerts, otherId)]).toEqual([5, 5]);
    await again.end();
  });
});

describe('what retention may delete', () => {
  it('is never a change, and of groups what is committed and does not wait', async () => {
    expect([...retained].sort()).toEqual(
      Object.values(topics)
        .filter((topic) => topic !== topics.changes)
        .sort(),
    );
    const records = plan();
    // The last watermarks of each source are still to come: all of its last calls wait.
    const some = records.events.map((way) => way.slice(0, -3));
    const life = await Life.begin(dir, { events: some }, { rules, behaviours: [] });
    while (!life.isOver) life.feed(() => 0.99, 100);
    await life.drain();
    const keeps = (of = life) => [0, 1, 2].map((p) => needOf(of, readers.detectGroups(p)));
    expect(keeps()).toEqual([0, 0, 0]);
    await life.detection.save();
    const waiting = [...life.detection.groups.values()].map(({ task }) => task.detector.lowest);
    expect(Math.min(...waiting)).toBeLessThan(Number.POSITIVE_INFINITY);
    for (const [partition, keep] of keeps().entries())
      expect(keep ?? -1).toBeLessThanOrEqual(waiting[partition] ?? 0);
    await life.end();
    const over = await Life.begin(dir, records, { rules, behaviours: [] });
    while (!over.isOver) over.feed(() => 0.99, 100);
    await over.drain();
    await over.detection.save();
    expect(keeps(over)).toEqual([...over.detection.groups.values()].map(({ task }) => task.read[1]));
    await over.end();
  });
});

describe('a disk of one detector that refuses', () => {
  it('holds up no other, and with it all is as if nothing had been', async () => {
    const events = someCalls(150, numbers(7));
    const random = numbers(3);
    const records = { events: planned(events, 3, random) };
    const straight = await Life.begin(join(dir, 'straight'), records, judges);
    while (!straight.isOver) straight.feed(random, 100);
    await straight.drain();
    const expected = await straight.alerts();
    await straight.end();

    let refused = 0;
    const life = await Life.begin(join(dir, 'refused'), records, judges, undefined, (path) => {
      const memory = openDetectorMemory(path);
      const commit = memory.commit.bind(memory);
      memory.commit = (place) => {
        if (!/events-1|groups-0/.test(path) || random() < 0.5) return commit(place);
        refused++;
        throw new Error('database or disk is full');
      };
      return memory;
    });
    for (let others = 0; !life.isOver; ) {
      life.feed(random, 20);
      const turn = async () => {
        for await (const _ of life.turn(true));
      };
      await turn().catch((error) => expect(String(error)).toContain('disk is full'));
      const read = [...life.detection.events.values()].reduce((total, { task }) => total + task.read[1], 0);
      expect(read).toBeGreaterThanOrEqual(others);
      others = read;
    }
    await life.drain();
    expect(refused).toBeGreaterThan(3);
    const alerts = await life.alerts();
    for (const [id, text] of expected) expect(alerts.get(id), id).toBe(text);
    expect(alerts.size).toBe(expected.size);
    await life.end();
  });
});
