// One chaos: sealwatch as stages apart over a Kafka and an Elasticsearch of its own, an embedded sealwatch beside it that nobody
// troubles, and a sender that writes the same lines to both.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type StageName, stageNames } from '../../../core/records.ts';
import { freePort, Sealwatch, until } from '../../e2e/sealwatch.ts';
import { SmallDisk } from '../small-disk.ts';
import { Closing } from './closing.ts';
import { callsIn, differences, missing, type Said, saidBy, undelivered } from './judge.ts';
import { BareReader } from './play.ts';
import { OwnServer } from './servers.ts';
import { Stages } from './stages.ts';
import type { Playground } from './troubles.ts';

const DISK_MIB = 1_500;
/** More than one process at the begin; of `ledger` one stands by. */
const counts = { normalise: 2, ledger: 2, detect: 2, index: 2 };

export interface Scene extends Playground, AsyncDisposable {
  folder: string;
  /** What Vault's file device has written. */
  log: string;
  /** Unix sockets by who reads them: the troubled stages, the calm sealwatch, a bare reader. */
  sockets: Record<'stages' | 'calm' | 'bare', string>;
  /** The sealwatch that nobody troubles. */
  calm: Sealwatch;
}

/** Everything runs and is ready; nothing has been sent. */
export async function openScene(random: () => number): Promise<Scene> {
  const closing = new Closing();
  try {
    return await furnish(closing, random);
  } catch (error) {
    await closing[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(closing: Closing, random: () => number): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-chaos-'));
  const path = (name: string) => join(folder, name);
  closing.defer(() => rmSync(folder, { recursive: true, force: true }));
  const kafka = closing.use(await OwnServer.kafka());
  const elasticsearch = closing.use(await OwnServer.elasticsearch());
  const disk = closing.use(new SmallDisk(DISK_MIB));
  const common = { SEALWATCH_FILE_PATH: path('audit.log'), SEALWATCH_TCP_ENABLED: 'false' };
  const api = { SEALWATCH_API_PORT: String(await freePort()), SEALWATCH_UNIX_PATH: path('calm.sock') };
  const calm = closing.use(new Sealwatch(path('calm'), { ...common, ...api }));
  calm.start();
  const stages = closing.use(
    await startStages(
      folder,
      { kafka: kafka.address, elasticsearch: elasticsearch.address },
      { ...common, SEALWATCH_UNIX_PATH: path('stages.sock') },
      { counts, own: inFolder('collect', join(disk.path, 'collect')) },
    ),
  );
  await Promise.all([calm.ready(), stages.ready()]);
  closing.use(new BareReader(path('bare.sock')));
  const sockets = { stages: path('stages.sock'), calm: path('calm.sock'), bare: path('bare.sock') };
  return {
    ...{ folder, log: path('audit.log'), sockets, calm, stages, kafka, elasticsearch, disk, random },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

interface StagesPlan {
  /** One process of each stage that is not named. */
  counts?: Partial<Record<StageName, number>>;
  /** Settings of one process of a stage. */
  own?: (stage: StageName) => Record<string, string>;
}

/** The data folder of one stage. */
export const inFolder =
  (stage: StageName, dataDir: string) =>
  (one: StageName): Record<string, string> =>
    one === stage ? { SEALWATCH_DATA_DIR: dataDir } : {};

/** Makes topics and templates, and starts all stages, each with a folder in `folder` and with what `own` gives it beside. */
export async function startStages(
  folder: string,
  { kafka, elasticsearch }: { kafka: string; elasticsearch: string },
  given: Record<string, string>,
  { counts = {}, own = () => ({}) }: StagesPlan = {},
): Promise<Stages> {
  const settings = {
    ...given,
    ...{ SEALWATCH_STREAM: 'kafka', SEALWATCH_KAFKA_BROKERS: kafka },
    ...{ SEALWATCH_EVIDENCE: 'elasticsearch', SEALWATCH_ELASTICSEARCH_REPLICAS: '0' },
    SEALWATCH_ELASTICSEARCH_NODES: `http://${elasticsearch}`,
  };
  await makeTopics({ ...settings, SEALWATCH_DATA_DIR: join(folder, 'doctor') });
  const stages = new Stages(folder, settings);
  for (const stage of stageNames)
    for (let n = 0; n < (counts[stage] ?? 1); n++) await stages.add(stage, own(stage));
  return stages;
}

/** Topics and templates. It ends with 1 for what else it finds: nothing collects yet. */
async function makeTopics(settings: Record<string, string>): Promise<void> {
  const env = { ...process.env, ...settings };
  await promisify(execFile)(process.execPath, ['dist/main.js', 'doctor', '--fix'], { env }).catch(() => {});
}

/** What processes of `deliver` have written, those that are gone as well. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('deliver-'))
    .map((name) => join(folder, name, 'alerts.jsonl'))
    .filter((path) => existsSync(path));

export interface Verdict {
  faults: string[];
  calls: number;
  stages: Said;
  calm: Said;
}

/** Waits until both have come to the end, and judges what they say; `coverage` judges what they say of the devices. */
export async function judge(
  scene: Scene,
  seconds: number,
  coverage: (stages: Said, calm: Said) => string[],
): Promise<Verdict> {
  const time = new Date().toISOString();
  await scene.calm.passed(time, seconds);
  await scene.stages.api.passed(time, seconds);
  const calls = callsIn(scene.log);
  let last: Verdict | undefined;
  const look = async (): Promise<Verdict> => {
    const [stages, calm] = await Promise.all([saidBy(scene.stages.api), saidBy(scene.calm)]);
    const faults = [
      ...missing('calm', calm, calls),
      ...missing('stages', stages, calls),
      ...differences(stages, calm),
      ...undelivered(stages, filesOf(scene.folder)),
      ...coverage(stages, calm),
    ];
    return { faults, calls: calls.length, stages, calm };
  };
  // Several indexers write what several detectors made: the last of it comes a moment after the time has passed.
  const same = await until(
    'the same answers',
    async () => {
      last = await look();
      return last.faults.length === 0 ? last : undefined;
    },
    seconds,
  ).catch((error: unknown) => {
    if (last === undefined) throw error;
    return last;
  });
  same.faults.push(...scene.stages.faults());
  return same;
}
