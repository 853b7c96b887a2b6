// Backtest over a real store: it finds what the rules found live, says what lists silence, and changes nothing.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { normaliseLines } from '../../commands/replay-lines.ts';
import { type BacktestResult, backtestReport } from '../../commands/rules/backtest.ts';
import { type BacktestCommand, backtestCommand } from '../../commands/rules/backtest-command.ts';
import { load } from '../../commands/rules/load.ts';
import { canonicalJson } from '../../core/canonical.ts';
import { dataFiles, loadConfig } from '../../core/config.ts';
import { END_OF_TIME } from '../../core/time.ts';
import { WholeDetector } from '../../detectors/engine/whole.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { sampleLines } from '../ingest/normalise/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-backtest-'));
const config = { ...loadConfig({}), dataDir: folder };
const events = normaliseLines(sampleLines());
const backtest = async (command: BacktestCommand = {}) =>
  JSON.parse(await backtestCommand(config, { ...command, json: true })) as BacktestResult;

beforeAll(async () => {
  await using writer = openEvidenceWriter(dataFiles(folder).evidence);
  await writer.write(batchOf({ events: events.map((event) => ({ event, text: canonicalJson(event) })) }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('every rule finds what it found live, in the numbers of its alerts', async () => {
  const { rules } = load({});
  const live = new WholeDetector({ cluster: 'vault', rules, slowCallNanos: Number.POSITIVE_INFINITY });
  for (const event of events) live.event(event, '');
  live.advance(END_OF_TIME);
  const expected = new Map<string, number>();
  for (const { body } of live.take().alerts)
    expected.set(body.rule.id, (expected.get(body.rule.id) ?? 0) + 1);
  const result = await backtest();
  expect(result.events).toBe(events.length);
  expect(
    new Map(result.rules.filter(({ alerts }) => alerts > 0).map(({ id, alerts }) => [id, alerts])),
  ).toEqual(expected);
  expect(expected.size).toBeGreaterThan(5);
  for (const { alerts, weeks, subjects, others } of result.rules) {
    expect(Object.values(weeks).reduce((sum, count) => sum + count, 0)).toBe(alerts);
    expect(subjects.reduce((sum, subject) => sum + subject.alerts, others)).toBe(alerts);
  }
  expect(backtestReport(result)).toMatch(/^critical {6}Audit device removed: 1 alerts on 1 calls/m);
});

test('a period is from its begin to before its end', async () => {
  const middle = events[events.length >> 1]?.['@timestamp'] ?? '';
  const [first, second] = [await backtest({ to: middle }), await backtest({ from: middle })];
  expect(first.events + second.events).toBe(events.length);
  expect(second.first).toBe(middle);
  await expect(backtest({ from: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE' });
});

test('lists are tried out: what they silence is counted, by entry', async () => {
  const lists = join(folder, 'lists.yml');
  writeFileSync(
    lists,
    'allow: [{name: root-is-me, rules: [Root token used], match: {user.name: root}, owner: me, reason: Setup., until: 2030-01-01}]',
  );
  const before = (await backtest()).rules.find(({ title }) => title === 'Root token used');
  const result = await backtest({ lists });
  expect(result.silenced).toEqual({ 'allow root-is-me': before?.calls });
  expect(result.rules.find(({ title }) => title === 'Root token used')?.alerts).toBe(0);
});

test('a rule file runs alone, behaviours run when they are asked for', async () => {
  const alone = await backtest({ rules: ['detectors/rules/denied_burst.yml'] });
  expect(alone.rules.map(({ title, alerts }) => [title, alerts])).toEqual([['Denied burst', 1]]);
  const learned = await backtest({ behaviours: true });
  expect(learned.rules.length).toBeGreaterThan((await backtest()).rules.length);
});
