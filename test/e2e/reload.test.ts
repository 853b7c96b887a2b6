// Living with the rules, on the built product and real lines: a rule and a list that change while it runs, a broken file, and the
// record of it all over kill -9 in the middle.

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { Change } from '../../core/records.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';
import { writtenAt } from './vault-devices.ts';

const DENIED_BURST = 'dc92aa19-db52-41f1-a1dc-82de10434239';
const OURS = '0b1d6a9c-1111-4222-8333-444455556666';
const sample = readFileSync('deploy/sample/audit.jsonl', 'utf8').trim().split('\n');
/** What mara was refused, 14 calls: the rule alerts at 10. */
const denied = sample
  .map(
    (line) =>
      JSON.parse(line) as {
        type: string;
        auth?: { display_name?: string };
        request: { id: string };
        error?: string;
      },
  )
  .filter(
    ({ type, auth, error }) =>
      type === 'response' &&
      auth?.display_name === 'userpass-mara' &&
      (error ?? '').includes('permission denied'),
  )
  .map(({ request }) => sample.filter((line) => line.includes(request.id)));

const example = readFileSync('detectors/rules/root_token_used.yml', 'utf8');
const rule = (level: string) =>
  example
    .replace(/^id: .*$/m, `id: ${OURS}`)
    .replace(/^title: .*$/m, 'title: Mara was here')
    .replace(/^level: .*$/m, `level: ${level}`)
    .replace(
      /^detection:\n(?: .*\n)+/m,
      'detection:\n  selection:\n    user.name: mara\n  condition: selection\n',
    );
const lists = `allow:
  - {name: mara, rules: ['${OURS}'], match: {user.name: mara}, owner: us, reason: She may., until: 2099-01-01}
`;

const folder = mkdtempSync(join(tmpdir(), 'sw-reload-'));
const [rules, listsFile, log, dataDir] = ['rules', 'lists.yml', 'audit.log', 'data'].map((name) =>
  join(folder, name),
) as [string, string, string, string];
const ruleFile = join(rules, 'ours.yml');
let product: Sealwatch;
let written = 0;

beforeAll(async () => {
  mkdirSync(rules);
  writeFileSync(listsFile, '');
  writeFileSync(log, '');
  product = new Sealwatch(dataDir, {
    SEALWATCH_API_PORT: String(await freePort()),
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_FILE_PATH: log,
    SEALWATCH_RULES_DIR: rules,
    SEALWATCH_RULES_LISTS: listsFile,
  });
  product.start();
  await product.ready();
});
afterAll(async () => {
  await product.kill();
  rmSync(folder, { recursive: true });
});

/** Vault writes what mara was refused, from her call `from` to `to`, now. */
function writeDenied(from: number, to: number): void {
  for (const line of denied.slice(from, to).flat())
    appendFileSync(log, `${writtenAt(line, Date.now(), written++)}\n`);
}

const alerts = async (id: string) =>
  (await product.all<Alert>('/v1/alerts')).filter((alert) => alert.rule.id === id);
const changes = () => product.all<Change>('/v1/changes');
const metric = async (name: string) => {
  const text = await (await product.fetch('/metrics')).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};
const reloads = async (count: number) =>
  until(`${count} reloads`, async () =>
    (await metric('sealwatch_rules_reloads_total')) >= count ? true : undefined,
  );

it('a new rule judges the calls that come after it; what was counted before goes on', async () => {
  writeDenied(0, 6);
  await until('six calls', async () => ((await product.all('/v1/events')).length >= 6 ? true : undefined));
  await sleep(5_000);
  writeFileSync(ruleFile, rule('low'));
  await reloads(1);
  expect(await alerts(OURS)).toEqual([]);
  writeDenied(6, 12);
  const [burst] = await until('the burst', async () => {
    const found = await alerts(DENIED_BURST);
    return found[0]?.alert.count === 12 ? found : undefined;
  });
  expect(burst?.evidence.facts['threshold']).toBe(10);
  const [ours] = await until('our alert', async () => {
    const found = await alerts(OURS);
    return found[0]?.alert.count === 6 ? found : undefined;
  });
  expect(ours?.rule.level).toBe('low');
  const shown = await product.all<{ id: string; level: string }>('/v1/rules');
  expect(shown.find(({ id }) => id === OURS)?.level).toBe('low');
}, 120_000);

it('a broken file leaves the rules in force, and says so', async () => {
  writeFileSync(ruleFile, rule('low').replace('condition: selection', 'condition: selektion'));
  await until('invalid', async () => ((await metric('sealwatch_rules_invalid')) === 1 ? true : undefined));
  expect(product.output).toMatch(/RULE_INVALID: [^"]*ours\.yml line \d+: detection\.condition /);
  const shown = await product.all<{ id: string }>('/v1/rules');
  expect(shown.some(({ id }) => id === OURS)).toBe(true);
  expect(await metric('sealwatch_rules_reloads_total')).toBe(1);
}, 60_000);

it('a list silences from the moment it is taken over', async () => {
  writeFileSync(ruleFile, rule('low'));
  writeFileSync(listsFile, lists);
  await until('valid', async () => ((await metric('sealwatch_rules_invalid')) === 0 ? true : undefined));
  await reloads(2);
  const before = (await alerts(OURS)).map(({ alert }) => alert.count);
  writeDenied(12, 14);
  await until('silenced', async () =>
    (await metric('sealwatch_detect_silenced_total\\{entry="allow mara"\\}')) >= 2 ? true : undefined,
  );
  expect((await alerts(OURS)).map(({ alert }) => alert.count)).toEqual(before);
}, 60_000);

it('each change is recorded once, over kill -9 in the middle of it', async () => {
  const levels = ['medium', 'high', 'critical', 'informational', 'low', 'medium', 'high', 'critical'];
  for (const [i, level] of levels.entries()) {
    writeFileSync(ruleFile, rule(level));
    // From before the change is seen to after it is written.
    await sleep(3_000 + i * 250);
    await product.kill();
    product.start();
    await product.ready();
  }
  const recorded = await until('the last change', async () => {
    const found = (await changes()).filter(({ key }) => key === OURS);
    return found.length > levels.length ? found : undefined;
  });
  const steps = recorded
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ before, after }) => `${before?.['level']} ${after?.['level']}`);
  const all = ['low', ...levels];
  expect(steps).toEqual(['undefined low', ...levels.map((level, i) => `${all[i]} ${level}`)]);
  const keys = (await changes()).filter(({ key }) => key !== OURS).map(({ what, key }) => `${what} ${key}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toContain('allow mara');
}, 240_000);

it('SIGHUP takes files at once that are never still, and ends nothing', async () => {
  const title = 'Mara was here, by signal';
  // It was started just now: its threads tell their numbers within a second.
  const before = await until('numbers', async () => {
    const count = await metric('sealwatch_rules_reloads_total');
    return Number.isNaN(count) ? undefined : count;
  });
  const isShown = async () =>
    (await product.all<{ title: string }>('/v1/rules')).some((shown) => shown.title === title);
  const text = rule('low').replace(/^title: .*$/m, `title: ${title}`);
  let writes = 0;
  const writing = setInterval(() => writeFileSync(ruleFile, `${text}# ${writes++}\n`), 200);
  try {
    await sleep(6_000);
    expect(await metric('sealwatch_rules_reloads_total')).toBe(before);
    product.signal('SIGHUP');
    await until('the new title', async () => ((await isShown()) ? true : undefined), 30);
  } finally {
    clearInterval(writing);
  }
}, 90_000);
