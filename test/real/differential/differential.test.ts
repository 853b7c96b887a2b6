// The same logs through an embedded sealwatch and through stages apart over Kafka and Elasticsearch: every answer of the API and
// every alert must be the same, over 1, 3 and 8 partitions.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, Sealwatch, until } from '../../e2e/sealwatch.ts';
import { Closing } from '../chaos/closing.ts';
import { inFolder, startStages } from '../chaos/scene.ts';
import { OwnServer } from '../chaos/servers.ts';
import { Asker, answeredDifferently } from './answers.ts';
import { logsOf } from './logs.ts';

const closing = new Closing();
const folder = mkdtempSync(join(tmpdir(), 'sw-differential-'));
closing.defer(() => rmSync(folder, { recursive: true, force: true }));
const servers = { kafka: '', elasticsearch: '' };
const { logs, end } = logsOf([1, 2, 3]);

beforeAll(async () => {
  servers.kafka = closing.use(await OwnServer.kafka()).address;
  servers.elasticsearch = closing.use(await OwnServer.elasticsearch()).address;
});
afterAll(() => closing[Symbol.asyncDispose]());

/** Both products on the logs, from the begin of the files on. */
async function answers(partitions: number): Promise<{ calm: Asker; stages: Asker; closing: Closing }> {
  const own = closing.use(new Closing());
  const path = (name: string) => join(folder, `${name}-${partitions}`);
  for (const [device, lines] of Object.entries(logs))
    writeFileSync(path(device), lines.map((line) => `${line}\n`).join(''));
  writeFileSync(
    path('config.yaml'),
    `file: { path: ${path('file')} }
tcp: { enabled: false }
devices:
  - { device: plain, type: file, path: ${path('plain')} }
  - { device: raw, type: file, path: ${path('raw')} }
partitions: ${partitions}
`,
  );
  const settings = { SEALWATCH_CONFIG: path('config.yaml') };
  const calm = own.use(
    new Sealwatch(path('calm'), { ...settings, SEALWATCH_API_PORT: String(await freePort()) }),
  );
  calm.start();
  await calm.ready();
  // What is taken out of a line leaves a hash under the key of the installation.
  mkdirSync(path('collect'));
  copyFileSync(join(path('calm'), 'scrub-key'), join(path('collect'), 'scrub-key'));
  const given = { ...settings, ...prefixes(partitions) };
  const plan = { own: inFolder('collect', path('collect')) };
  const stages = own.use(await startStages(path('stages'), servers, given, plan));
  await stages.ready();
  await Promise.all([calm.passed(end, 120), stages.api.passed(end, 120)]);
  let asked: { calm: Asker; stages: Asker } | undefined;
  const look = async () => {
    asked = { calm: new Asker(calm, end), stages: new Asker(stages.api, end) };
    await Promise.all([asked.calm.all(), asked.stages.all()]);
    return answeredDifferently(asked.calm.answers, asked.stages.answers).length === 0 ? asked : undefined;
  };
  // What is found last is written a moment after the time has passed.
  await until('the same answers', look, 60).catch(() => {});
  if (asked === undefined) throw new Error('nothing was answered');
  return { ...asked, closing: own };
}

const prefixes = (partitions: number) => ({
  SEALWATCH_KAFKA_PREFIX: `differential-${partitions}-`,
  SEALWATCH_ELASTICSEARCH_PREFIX: `differential-${partitions}`,
});

describe.each([1, 3, 8])('over %i partitions', (partitions) => {
  let said: Awaited<ReturnType<typeof answers>>;
  beforeAll(async () => {
    said = await answers(partitions);
  });
  afterAll(() => said?.closing[Symbol.asyncDispose]());

  it('answers every question as the embedded one does', () => {
    expect(answeredDifferently(said.calm.answers, said.stages.answers)).toEqual([]);
  });

  it('and was asked on every path that there is, for what there is', async () => {
    expect(said.calm.answers.size).toBeGreaterThan(300);
    const refused = [...said.calm.answers].filter(([, answer]) => !answer.startsWith('200 '));
    expect(refused).toEqual([]);
    const empty = [...said.calm.answers].filter(([, answer]) => answer.includes('"items":[]'));
    expect(empty.length).toBeLessThan(30);
    const unasked = Object.entries(await said.calm.paths()).filter(
      ([path, methods]) => 'get' in methods && path.startsWith('/v1') && !said.calm.asked.has(path),
    );
    // What people have changed is told by wall time.
    expect(unasked.map(([path]) => path)).toEqual(['/v1/changes']);
  });
});
