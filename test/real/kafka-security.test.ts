// Logins and rights on a real broker: every stage can do its work with the rights of deploy/kafka/acls.sh, and nothing else.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaSettings } from '../../core/config-scale.ts';
import { type StageName, stageNames, topics } from '../../core/records.ts';
import { MEMORY } from '../../storage/replica/topic.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link } from '../../storage/stream/kafka/link.ts';
import { stageRights } from '../../storage/stream/kafka/rights.ts';
import { SNAPSHOTS } from '../../storage/stream/kafka/topics.ts';
import { type SecureKafka, startSecureKafka } from './secure-kafka.ts';

const PREFIX = 'here-';
const logger = pino({ level: 'silent' });
const names = [...Object.values(topics), SNAPSHOTS, `${MEMORY}ledger`, `${MEMORY}detect-events-0`];
let kafka: SecureKafka;
let admin: Link;

beforeAll(async () => {
  kafka = await startSecureKafka();
  admin = await openLink(kafka.admin, logger);
  await admin.create(
    names.map((name) => ({ topic: PREFIX + name, partitions: 1, config: {} })),
    undefined,
  );
  await admin.produce(names.map((name) => ({ topic: PREFIX + name, partition: 0, messages: [message] })));
  await kafka.script('deploy/kafka/acls.sh', { PREFIX });
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await kafka?.[Symbol.asyncDispose]();
});

const message = { key: null, value: Buffer.from('{}'), headers: {} };

const settingsOf = (sasl: object, more: object = {}) =>
  kafkaSettings.parse({
    brokers: kafka.sasl,
    prefix: PREFIX,
    tls: { enabled: true, caFile: kafka.caFile },
    sasl,
    ...more,
  });
const scram = (user: string, mechanism = 'scram-sha-512') => ({
  mechanism,
  username: `sealwatch-${user}`,
  passwordFile: kafka.passwordFile,
});

/** What came of it: `done`, or the code and Kafka's reason. */
async function tried(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    const { code, message: text } = error as { code: string; message: string };
    return `${code} ${/not authorized|authorization.failed/i.test(text) ? 'not authorized' : text}`;
  }
}
const DENIED = 'KAFKA_REFUSED not authorized';

const matches = (list: readonly string[], name: string) =>
  list.some((one) => one === name || (/[.-]$/.test(one) && name.startsWith(one)));

/** What a user may do with each topic, by trying it. */
async function triedOn(link: Link) {
  const rows: [name: string, read: string, write: string, erase: string][] = [];
  for (const name of names) {
    const topic = PREFIX + name;
    rows.push([
      name,
      await tried(() => link.fetch([{ topic, partition: 0, offset: 0, bytesMax: 1000 }], 0)),
      await tried(() => link.produce([{ topic, partition: 0, messages: [message] }])),
      await tried(() => link.deleteBefore(topic, 0, 0)),
    ]);
  }
  return rows;
}

describe('with the rights of deploy/kafka/acls.sh', () => {
  it.each(stageNames.map((stage) => [stage]))(
    '%s can do its work and nothing else',
    async (stage: StageName) => {
      await using link = await openLink(settingsOf(scram(stage)), logger);
      const { reads, writes, deletes = [] } = stageRights[stage];
      const may = (list: readonly string[], name: string) => (matches(list, name) ? 'done' : DENIED);
      expect(await triedOn(link)).toEqual(
        names.map((name) => [name, may(reads, name), may(writes, name), may(deletes, name)]),
      );
      const own = [
        {
          topic: `${PREFIX}${reads.find((name) => !/[.-]$/.test(name)) ?? topics.raw}`,
          partition: 0,
          offset: 1,
        },
      ];
      const commits = (reader: string) => tried(() => link.commit(`${PREFIX}sealwatch.${reader}`, own));
      if (reads.length > 0) expect(await commits(`${stage}-0`)).toBe('done');
      const other = stage === 'deliver' ? 'index' : 'deliver';
      expect(await commits(`${other}-0`)).toBe(DENIED);
      // Everybody may see how far the others are, since that says what is still needed.
      expect(
        await tried(() => link.committed(`${PREFIX}sealwatch.${other}-0`, PREFIX + topics.alerts, 0)),
      ).toBe('done');
      const described = await link.describe([PREFIX + topics.raw]);
      expect(described.get(PREFIX + topics.raw)?.partitions).toBe(1);
      expect(
        await tried(() =>
          link.create([{ topic: `${PREFIX}vault.audit.more`, partitions: 1, config: {} }], 1),
        ),
      ).toBe(DENIED);
    },
  );

  it('a stage shares partitions in its own group only', async () => {
    await using link = await openLink(settingsOf(scram('detect')), logger);
    const assigned = (group: string) =>
      new Promise<readonly number[]>((done, failed) => {
        const join = link.join(`${PREFIX}sealwatch.${group}`, PREFIX + topics.events, (partitions) => {
          if (partitions !== undefined) done(partitions);
        });
        join.catch(failed);
      });
    expect(await assigned('detect.members')).toEqual([0]);
    await expect(assigned('index.members')).rejects.toMatchObject({ code: 'KAFKA_REFUSED' });
  });

  it('doctor can make topics under the prefix, and read nothing', async () => {
    await using link = await openLink(settingsOf(scram('doctor')), logger);
    const make = (topic: string) => tried(() => link.create([{ topic, partitions: 1, config: {} }], 1));
    expect(await make(`${PREFIX}vault.audit.made`)).toBe('done');
    expect(await make('vault.audit.made')).toBe(DENIED);
    expect(
      (await triedOn(link)).flatMap(([, ...results]) => results).every((result) => result === DENIED),
    ).toBe(true);
  });

  it('run can do all of it', async () => {
    await using link = await openLink(settingsOf(scram('run')), logger);
    expect(
      (await triedOn(link)).flatMap(([, ...results]) => results).every((result) => result === 'done'),
    ).toBe(true);
  });
});

describe('the login', () => {
  const raw = () => [PREFIX + topics.raw];
  const canDescribe = async (settings: ReturnType<typeof settingsOf>) =>
    tried(async () => {
      await using link = await openLink(settings, logger);
      expect((await link.describe(raw())).size).toBe(1);
    });
  /** A token that the broker's module for tests takes: signed by nobody. */
  const token = (claims: object) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const file = join(kafka.folder, 'token');
    writeFileSync(file, `${part({ alg: 'none' })}.${part(claims)}.\n`);
    return { mechanism: 'oauthbearer', tokenFile: file };
  };
  const now = () => Math.floor(Date.now() / 1000);

  it('by SCRAM-SHA-256, PLAIN and OAUTHBEARER', async () => {
    expect(await canDescribe(settingsOf(scram('index', 'scram-sha-256')))).toBe('done');
    expect(await canDescribe(settingsOf(scram('index', 'plain')))).toBe('done');
    const good = token({ sub: 'sealwatch-index', iat: now() - 10, exp: now() + 600 });
    expect(await canDescribe(settingsOf(good))).toBe('done');
  });

  it('by the certificate of mutual TLS', async () => {
    const tls = { enabled: true, caFile: kafka.caFile, ...kafka.clientCert };
    const mutual = kafkaSettings.parse({ brokers: kafka.mutual, tls });
    expect(await canDescribe(mutual)).toBe('done');
    const { certFile: _, keyFile: _key, ...without } = tls;
    expect(await canDescribe(kafkaSettings.parse({ brokers: kafka.mutual, tls: without }))).toMatch(
      /^KAFKA_/,
    );
  });

  it.each([
    [
      'a wrong password',
      () => settingsOf({ ...scram('index'), passwordFile: wrong() }),
      /^KAFKA_REFUSED .*(auth|credential)/i,
    ],
    ['an unknown user', () => settingsOf(scram('nobody')), /^KAFKA_REFUSED .*(auth|credential)/i],
    [
      'a token that has ended',
      () => settingsOf(token({ sub: 'x', iat: now() - 700, exp: now() - 100 })),
      /^KAFKA_/,
    ],
    [
      'an authority that did not sign',
      () => settingsOf(scram('index'), { tls: { enabled: true } }),
      /^KAFKA_REFUSED .*certificate/,
    ],
    ['no TLS', () => settingsOf(scram('index'), { tls: {} }), /^KAFKA_/],
    ['no login', () => settingsOf({}), /^KAFKA_/],
  ])('with %s is refused in a sentence without a secret', async (_, settings, said) => {
    const result = await canDescribe(settings());
    expect(result).toMatch(said);
    expect(result).not.toContain('example-');
  });

  function wrong(): string {
    const file = join(kafka.folder, 'wrong');
    writeFileSync(file, 'example-wrong');
    return file;
  }
});
