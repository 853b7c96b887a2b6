// Settings of Kafka, Elasticsearch and stages that run alone: all of them by variables too, and what contradicts itself refused.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configVariables, loadConfig } from '../../core/config.ts';
import { readSecretFile } from '../../core/secret-file.ts';

const loaded = (env: Record<string, string>) =>
  loadConfig(Object.fromEntries(Object.entries(env).map(([key, value]) => [`SEALWATCH_${key}`, value])));

describe('the login to Kafka', () => {
  it('is none without settings', () => {
    expect(loaded({}).kafka.sasl).toBeUndefined();
  });

  it('comes by variables, each of which is known', () => {
    const scram = {
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'sealwatch-index',
      KAFKA_SASL_PASSWORD_FILE: '/run/secrets/kafka',
    };
    expect(configVariables()).toEqual(
      expect.arrayContaining([
        'SEALWATCH_STREAM',
        'SEALWATCH_KAFKA_BROKERS',
        'SEALWATCH_KAFKA_TLS_CA_FILE',
        'SEALWATCH_KAFKA_SASL_TOKEN_FILE',
        'SEALWATCH_ELASTICSEARCH_NODES',
        'SEALWATCH_STAGE_PORT',
        ...Object.keys(scram).map((name) => `SEALWATCH_${name}`),
      ]),
    );
    expect(configVariables()).not.toContain('SEALWATCH_KAFKA_SASL');
    expect(loaded(scram).kafka.sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'sealwatch-index',
      passwordFile: '/run/secrets/kafka',
    });
    expect(
      loaded({ KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_TOKEN_FILE: '/run/token' }).kafka.sasl,
    ).toEqual({ mechanism: 'oauthbearer', tokenFile: '/run/token' });
  });

  it.each([
    [{ KAFKA_SASL_MECHANISM: 'plain' }],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'a' }],
    [{ KAFKA_SASL_USERNAME: 'a', KAFKA_SASL_PASSWORD_FILE: 'b' }],
    [{ KAFKA_SASL_TOKEN_FILE: 'b' }],
    [{ KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_USERNAME: 'a', KAFKA_SASL_TOKEN_FILE: 'b' }],
  ])('is refused as %j', (env: Record<string, string>) => {
    expect(() => loaded(env)).toThrow(/kafka\.sasl: oauthbearer needs tokenFile alone/);
  });
});

it('files of TLS without TLS are refused: they would be set in vain', () => {
  expect(() => loaded({ KAFKA_TLS_CA_FILE: '/ca.pem' })).toThrow(/kafka\.tls: .* nothing would be encrypted/);
  const { tls } = loaded({ KAFKA_TLS_ENABLED: 'true', KAFKA_TLS_CA_FILE: '/ca.pem' }).kafka;
  expect(tls).toEqual({ enabled: true, caFile: '/ca.pem' });
  expect(() => loaded({ KAFKA_TLS_ENABLED: 'true', KAFKA_TLS_KEY_FILE: '/k' })).toThrow(/belong together/);
});

it('lists of addresses come with commas', () => {
  const { kafka, elasticsearch } = loaded({
    KAFKA_BROKERS: 'a:9092, b:9092',
    ELASTICSEARCH_NODES: 'https://a:9200,https://b:9200',
  });
  expect(kafka.brokers).toEqual(['a:9092', 'b:9092']);
  expect(elasticsearch.nodes).toEqual(['https://a:9200', 'https://b:9200']);
  expect(() => loaded({ KAFKA_BROKERS: 'a' })).toThrow(/kafka\.brokers\.0: must be host:port/);
});

it('an address that holds a login is refused, without showing it', () => {
  const asked = () => loaded({ ELASTICSEARCH_NODES: 'https://elastic:example-word@a:9200' });
  expect(asked).toThrow(/elasticsearch\.nodes\.0: must hold no login/);
  expect(asked).not.toThrow(/example-word/);
});

describe('the file of a secret', () => {
  it('is read without its newline; errors name the key and show nothing of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwatch-secret-'));
    const file = join(folder, 'password');
    writeFileSync(file, 'correct horse\n');
    expect(readSecretFile(file, 'kafka.sasl.passwordFile')).toBe('correct horse');
    writeFileSync(file, ' \n');
    expect(() => readSecretFile(file, 'kafka.sasl.passwordFile')).toThrow(
      `kafka.sasl.passwordFile: ${file} is empty`,
    );
    rmSync(folder, { recursive: true });
    expect(() => readSecretFile(file, 'elasticsearch.apiKeyFile')).toThrow(
      `elasticsearch.apiKeyFile: ${file} cannot be read (ENOENT)`,
    );
  });
});
