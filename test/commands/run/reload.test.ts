// Hot reload on real files and a real stream: what is valid is taken over, what is not is said, each change is recorded once.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Loaded, load } from '../../../commands/rules/load.ts';
import { ChangeRecord } from '../../../commands/run/changes.ts';
import { lookAt, Reload } from '../../../commands/run/reload.ts';
import { limits } from '../../../core/limits.ts';
import { type Change, topics } from '../../../core/records.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';

const example = readFileSync('detectors/rules/root_token_used.yml', 'utf8');
const id = '0b1d6a9c-1111-4222-8333-444455556666';
const own = example
  .replace(/^id: .*$/m, `id: ${id}`)
  .replace(/^title: .*$/m, 'title: Ours')
  .replace(/^name: .*\n/m, '');
const lists = (until: string) => `allow:
  - {name: backup, rules: ['${id}'], match: {user.name: backup}, owner: us, reason: Nightly., until: ${until}}
`;

let folder: string;
let source: { dir: string; lists: string };
const said: string[] = [];
const logger = {
  error: ({ error }: { error: string }) => void said.push(error),
  warn: ({ error, notes = [] }: { error?: string; notes?: string[] }) =>
    void said.push(...(error === undefined ? notes : [error])),
  info() {},
} as unknown as Logger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-reload-'));
  source = { dir: join(folder, 'rules'), lists: join(folder, 'lists.yml') };
  mkdirSync(source.dir);
  writeFileSync(join(source.dir, 'ours.yml'), own);
  writeFileSync(source.lists, lists('2027-01-01'));
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const openStream = () =>
  EmbeddedStream.open({ dir: join(folder, 'stream'), partitions: 1, writes: [topics.changes] });

async function start(stream: EmbeddedStream, applied: Loaded[] = []): Promise<Reload> {
  const look = lookAt(source);
  const changes = await ChangeRecord.load(stream);
  return new Reload(
    { source, changes: () => changes, logger, now: () => 0, apply: (loaded) => void applied.push(loaded) },
    load(source),
    look,
  );
}

async function recorded(stream: EmbeddedStream): Promise<Change[]> {
  const records = await stream.read(topics.changes, 0, 0, limits.readBytesMax);
  return records.map(({ value }) => value as Change);
}

/** Changes but for what came with sealwatch. */
const ours = (changes: Change[]) => changes.filter(({ who }) => who?.startsWith('sealwatch ') !== true);

test('what rules most likely do not mean is said at the start and after a reload', async () => {
  const slip = (field: string) =>
    own.replace(/^detection:[\s\S]*?(?=^\w)/m, `detection: {sel: {${field}: x}, condition: sel}\n`);
  writeFileSync(join(source.dir, 'ours.yml'), slip('user.nam'));
  await using stream = await openStream();
  await using reload = await start(stream);
  expect(said).toEqual([
    expect.stringContaining('user.nam is no field of an event; did you mean user.name?'),
  ]);
  writeFileSync(join(source.dir, 'ours.yml'), slip('user.idd'));
  await reload.check({ now: true });
  expect(said[1]).toContain('user.idd is no field of an event; did you mean user.id?');
});

test('the first start records everything that is in force, the next one nothing', async () => {
  await using stream = await openStream();
  {
    await using reload = await start(stream);
    await reload.check();
  }
  const first = await recorded(stream);
  expect(ours(first)).toMatchObject([
    { what: 'rule', key: id, who: userInfo().username, after: { title: 'Ours' } },
    {
      what: 'allow',
      key: 'backup',
      who: userInfo().username,
      why: 'Nightly.',
      after: { until: '2027-01-01T23:59:59.999999999Z' },
    },
  ]);
  expect(first.length).toBe(load(source).inForce.length);
  await using again = await start(stream);
  await again.check();
  expect(await recorded(stream)).toEqual(first);
});

test('a changed rule and a changed list are taken over once they lie still, and recorded with before, after and why', async () => {
  await using stream = await openStream();
  const applied: Loaded[] = [];
  await using reload = await start(stream, applied);
  await reload.check();
  const before = (await recorded(stream)).length;
  writeFileSync(
    join(source.dir, 'ours.yml'),
    `# why: It was too loud.\n${own.replace(/^level: .*$/m, 'level: low')}`,
  );
  writeFileSync(source.lists, lists('2027-02-02'));
  await reload.check();
  expect(applied).toEqual([]);
  await reload.check();
  expect(applied).toHaveLength(1);
  expect(applied[0]?.rules.catalogue.find((rule) => rule.id === id)?.level).toBe('low');
  expect((await recorded(stream)).slice(before)).toMatchObject([
    {
      what: 'rule',
      key: id,
      why: 'It was too loud.',
      before: { level: expect.not.stringMatching('low') },
      after: { level: 'low' },
    },
    {
      what: 'allow',
      key: 'backup',
      before: { until: expect.stringMatching(/^2027-01/) },
      after: { until: expect.stringMatching(/^2027-02/) },
    },
  ]);
  await reload.check();
  expect(applied).toHaveLength(1);
  expect(reload.metrics()).toEqual({ sealwatch_rules_invalid: 0, sealwatch_rules_reloads_total: 1 });
});

test('an invalid file leaves everything in force, is said once with file and line, and shows in the metrics until it is mended', async () => {
  await using stream = await openStream();
  const applied: Loaded[] = [];
  await using reload = await start(stream, applied);
  await reload.check();
  const before = await recorded(stream);
  writeFileSync(source.lists, lists('2027-02-02').replace('owner', 'ower'));
  for (let i = 0; i < 3; i++) await reload.check();
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(
    /LISTS_INVALID: .*lists\.yml line 2: allow\.0\.ower is not known; did you mean owner\?/,
  );
  expect(reload.metrics()['sealwatch_rules_invalid']).toBe(1);
  expect(applied).toEqual([]);
  expect(await recorded(stream)).toEqual(before);
  writeFileSync(source.lists, lists('2027-01-01'));
  await reload.check({ now: true });
  expect(reload.metrics()['sealwatch_rules_invalid']).toBe(0);
  expect(await recorded(stream)).toEqual(before);
});

test('what was edited while sealwatch was down is recorded at the start', async () => {
  await using stream = await openStream();
  {
    await using reload = await start(stream);
    await reload.check();
  }
  const before = (await recorded(stream)).length;
  rmSync(join(source.dir, 'ours.yml'));
  writeFileSync(source.lists, '');
  await using reload = await start(stream);
  await reload.check();
  const changes = (await recorded(stream)).slice(before);
  expect(changes).toMatchObject([
    { what: 'rule', key: id, before: { title: 'Ours' } },
    { what: 'allow', key: 'backup' },
  ]);
  for (const change of changes) expect([change.after, change.who]).toEqual([undefined, undefined]);
});

test.each([0, 1, 2])(
  'each change is recorded once when the disk refuses at write %i and the process dies',
  async (at) => {
    {
      await using stream = await openStream();
      const fragile = dyingAt(stream, at);
      await using reload = await start(fragile);
      await reload.check();
      expect(said).toHaveLength(1);
    }
    await using stream = await openStream();
    await using reload = await start(stream);
    await reload.check();
    const ids = (await recorded(stream)).map(({ what, key }) => `${what} ${key}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.sort()).toEqual(
      load(source)
        .inForce.map(({ what, key }) => `${what} ${key}`)
        .sort(),
    );
  },
);

/** The stream, dead from its `at`th durable step on: the snapshot with what is pending, the flush, the snapshot without. */
function dyingAt(stream: EmbeddedStream, at: number): EmbeddedStream {
  let step = 0;
  const dies = () => {
    if (step++ >= at) throw new Error('the disk is gone');
  };
  return new Proxy(stream, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      return (...rest: unknown[]) => {
        if (name === 'flush' || name === 'saveSnapshot') dies();
        return (member as (...rest: unknown[]) => unknown).apply(target, rest);
      };
    },
  });
}
