// Doctor on Kafka: what it says of topics, copies, rights and lags, and that it makes what is missing and nothing else.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { checkElasticsearch } from '../../commands/doctor/elasticsearch.ts';
import type { Finding } from '../../commands/doctor/finding.ts';
import { checkKafka, checkOn } from '../../commands/doctor/kafka.ts';
import { findingsOfLag } from '../../commands/doctor/lag.ts';
import { examine } from '../../commands/doctor.ts';
import { loadConfig } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { topics } from '../../core/records.ts';
import type { Link, TopicPlan, TopicShape } from '../../storage/stream/kafka/link.ts';
import { topicPlans } from '../../storage/stream/kafka/topics.ts';

const brief = (findings: Finding[]) => findings.map(({ state, what }) => `${state} ${what}`);
const config = loadConfig({ SEALWATCH_STREAM: 'kafka', SEALWATCH_KAFKA_PREFIX: 'x-' });
const plans = topicPlans('x-', config.partitions);

/** Topics as they are planned, on so many brokers. */
const shapesOf = (some: readonly TopicPlan[], replicas: number, minInsync = '1') =>
  new Map<string, TopicShape>(
    some.map(({ topic, partitions, config: settings }) => [
      topic,
      { partitions, replicas, config: { ...settings, 'min.insync.replicas': minInsync } },
    ]),
  );

/** Stands in for a broker: `test/real/kafka-security.test.ts` has a real one. */
class FakeLink {
  readonly made: string[] = [];
  readonly shapes: Map<string, TopicShape>;
  private readonly denied: readonly string[];
  private readonly end: number;

  constructor(shapes: Map<string, TopicShape>, denied: readonly string[] = [], end = 0) {
    this.shapes = shapes;
    this.denied = denied;
    this.end = end;
  }

  describe = async (names: readonly string[]) =>
    new Map([...this.shapes].filter(([name]) => names.includes(name)));
  async create(some: readonly TopicPlan[], replicas = 1) {
    this.made.push(...some.map(({ topic }) => topic));
    for (const [name, shape] of shapesOf(some, replicas)) this.shapes.set(name, shape);
  }
  offsets = async (_: string, partitions: readonly number[], at: string) =>
    new Map(partitions.map((partition) => [partition, at === 'end' ? this.end : 0]));
  committed = async () => undefined;
  async fetch([{ topic }]: readonly [{ topic: string }]) {
    if (this.denied.includes(topic)) throw new SealwatchError('KAFKA_REFUSED', 'not authorized', 'ask');
    return [];
  }
  get link(): Link {
    return this as unknown as Link;
  }
}

describe('topics of Kafka', () => {
  it('are made with --fix alone, and those that are there stay', async () => {
    const [first, ...rest] = plans;
    const fake = new FakeLink(shapesOf([first as TopicPlan], 1));
    const before = await checkOn(fake.link, config, false);
    expect(before[0]).toMatchObject({ state: 'fail', todo: expect.stringContaining('doctor --fix') });
    expect(before[0]?.what).toContain(`${rest[0]?.topic}, `);
    expect(fake.made).toEqual([]);
    const after = await checkOn(fake.link, config, true);
    expect(fake.made).toEqual(rest.map(({ topic }) => topic));
    expect(brief(after)[0]).toMatch(/^ok made \d+ topics: /);
    expect(after.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(brief(await checkOn(fake.link, config, true))[0]).not.toContain('made');
  });

  it('with another number of partitions are refused, with --fix too', async () => {
    const fake = new FakeLink(shapesOf(plans, 3, '2'));
    const other = { ...config, partitions: config.partitions + 1 };
    const findings = (await checkOn(fake.link, other, true)).filter(({ state }) => state === 'fail');
    expect(findings.length).toBeGreaterThanOrEqual(Object.keys(topics).length);
    expect(findings[0]?.what).toContain(`has ${config.partitions} partitions`);
    expect(fake.shapes.get(`x-${topics.raw}`)?.partitions).toBe(config.partitions);
  });

  it('on one broker, or that count before two have it, are worth a word', async () => {
    const said = async (replicas: number, min: string) =>
      brief(await checkOn(new FakeLink(shapesOf(plans, replicas, min)).link, config, false)).join('\n');
    expect(await said(1, '1')).toMatch(/warn \d+ topics lie on one broker each/);
    expect(await said(3, '1')).toMatch(/warn min\.insync\.replicas is 1/);
    expect(await said(3, '2')).toContain('ok each record is on two brokers before it counts');
  });

  it('that a user may not read leave out the stages that need them', async () => {
    const denied = Object.values(topics).filter((topic) => topic !== topics.alerts);
    const fake = new FakeLink(
      shapesOf(plans, 1),
      denied.map((topic) => `x-${topic}`),
    );
    expect(brief(await checkOn(fake.link, config, false))).toContain(
      'ok this user may read what is needed by deliver; writing is not tried',
    );
  });
});

describe('readers', () => {
  const lag = (reader: string, records?: number) => ({ reader, records });

  it('that are late or silent are named with what to do', () => {
    const findings = findingsOfLag([lag('normalise-0', 3), lag('index-1', 2_000_000), lag('ledger')], false);
    expect(brief(findings)).toEqual([
      'warn never told how far they are: ledger; until then nothing is deleted that they may need',
      'warn index-1 is 2000000 records behind',
    ]);
    expect(findings.every(({ todo }) => (todo ?? '').length > 20)).toBe(true);
  });

  it('that keep up are well; before the first record nobody is asked', () => {
    expect(brief(findingsOfLag([lag('a', 3)], false))).toEqual([
      'ok no reader is more than 3 records behind',
    ]);
    expect(brief(findingsOfLag([lag('a')], true))).toEqual(['ok nothing was collected into Kafka yet']);
  });

  it('of a stream with records are asked for', async () => {
    const fake = new FakeLink(shapesOf(plans, 1), [], 7);
    const said = brief(await checkOn(fake.link, config, false)).join('\n');
    expect(said).toMatch(/warn never told how far they are: normalise-0, .*ledger/);
  });
});

describe('files and switches', () => {
  const logger = pino({ level: 'silent' });

  it('embedded: nothing is asked of Kafka and Elasticsearch', async () => {
    expect(await checkKafka(loadConfig({}), true, logger)).toEqual([]);
    expect(await checkElasticsearch(loadConfig({}), true)).toEqual([]);
  });

  it('a secret that cannot be read ends the check before anybody is asked; it is never shown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwatch-doctor-'));
    const password = join(folder, 'password');
    const env = {
      SEALWATCH_STREAM: 'kafka',
      SEALWATCH_KAFKA_BROKERS: 'kafka.example:9092',
      SEALWATCH_KAFKA_SASL_MECHANISM: 'plain',
      SEALWATCH_KAFKA_SASL_USERNAME: 'sealwatch',
      SEALWATCH_KAFKA_SASL_PASSWORD_FILE: password,
      SEALWATCH_EVIDENCE: 'elasticsearch',
      SEALWATCH_ELASTICSEARCH_NODES: 'http://es.example:9200',
      SEALWATCH_ELASTICSEARCH_API_KEY_FILE: password,
    };
    expect(brief(await checkKafka(loadConfig(env), false, logger))).toEqual([
      `fail the password for Kafka ${password} cannot be read (ENOENT)`,
      'warn what is audited travels to Kafka without TLS, and so does a login',
    ]);
    writeFileSync(password, '\n');
    chmodSync(password, 0o600);
    expect(brief(await checkElasticsearch(loadConfig(env), false))).toEqual([
      `fail the API key for Elasticsearch ${password} is empty`,
      'warn evidence travels to http://es.example:9200 without TLS',
    ]);
    rmSync(folder, { recursive: true });
  });

  it('parts can be looked at alone, and a part that there is not is refused', async () => {
    expect(await examine(loadConfig({}), { only: 'kafka, elasticsearch' })).toEqual([]);
    await expect(examine(loadConfig({}), { only: 'kafak' })).rejects.toThrow(/doctor does not know kafak/);
  });
});
