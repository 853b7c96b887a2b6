// The API's thread: a read-only connection to the evidence store, so that no query holds up what comes in.

import { appendFileSync, readFileSync } from 'node:fs';
import { Counter, Gauge, Registry } from 'prom-client';
import { buildApi } from '../../api/app.ts';
import { type KeyRing, keyDigest } from '../../api/auth.ts';
import type { PostureSettings } from '../../api/posture/settings.ts';
import { type Config, configuredDevices, dataFiles, inputsOf } from '../../core/config.ts';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import { type Metrics, nameAndLabels } from '../../core/telemetry.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { loadRules } from '../rules.ts';
import { runThread } from './thread.ts';

await runThread('serve', async ({ data, logger, say }) => {
  const { config, version } = data;
  const files = dataFiles(config.dataDir);
  const reader = openEvidenceReader(files.evidence);
  const registry = new Registry();
  let state = { ready: false, reasons: ['starting'] };
  const app = buildApi({
    reader,
    keys: keysOf(config),
    cluster: config.cluster,
    devices: configuredDevices(config),
    nodes: nodeNames(config),
    version,
    posture: postureOf(config),
    rules: loadRules(config.rules.dir).catalogue.map((rule) => ({ ...rule, enabled: true })),
    recordAccess: accessRecorder(files.accessLog),
    metrics: () => registry.metrics(),
    ready: () => state,
    now: () => new Date(),
    logger,
  });
  const { host, port } = config.api;
  const address = await app.listen({ host, port }).catch((error: unknown) => {
    throw systemCode(error) === 'EADDRINUSE'
      ? new SealwatchError(
          'PORT_TAKEN',
          `${host}:${port} is already in use`,
          'Stop what listens there, or set another port with SEALWATCH_API_PORT.',
          { cause: error },
        )
      : new SealwatchError(
          'LISTEN_FAILED',
          `cannot listen on ${host}:${port} (${systemCode(error) ?? error})`,
          'Check api.host and api.port.',
          { cause: error },
        );
  });
  say({ type: 'ready', says: { address } });
  return {
    stop: async () => {
      await app.close();
      await reader[Symbol.asyncDispose]();
    },
    metrics: () => ({}),
    hear: (message) => {
      if (message.type !== 'metrics') return;
      state = { ready: message.ready, reasons: message.reasons };
      show(registry, message.metrics);
    },
  };
});

/** What posture is held against, in seconds. */
function postureOf({ posture }: Config): PostureSettings {
  const day = 86_400;
  return {
    leaseSeconds: posture.leaseMinutes * 60,
    tokenSeconds: posture.tokenMinutes * 60,
    staticTokenSeconds: posture.staticTokenDays * day,
    rotationSeconds: posture.rotationDays * day,
  };
}

/** Appends lines to `path`; one that a full disk has cut off does not swallow the next. */
function accessRecorder(path: string): (entry: object) => void {
  let isCutOff = false;
  return (entry) => {
    const line = `${isCutOff ? '\n' : ''}${JSON.stringify(entry)}\n`;
    isCutOff = true;
    appendFileSync(path, line, { mode: 0o600 });
    isCutOff = false;
  };
}

/** Other threads count; here the numbers are only shown. What they no longer report is gone. */
function show(registry: Registry, metrics: Metrics): void {
  registry.resetMetrics();
  for (const [metric, value] of Object.entries(metrics)) {
    const { name, labels } = nameAndLabels(metric);
    const options = {
      name,
      help: name.replaceAll('_', ' '),
      labelNames: Object.keys(labels),
      registers: [registry],
    };
    const found = registry.getSingleMetric(name);
    if (name.endsWith('_total')) ((found as Counter | undefined) ?? new Counter(options)).inc(labels, value);
    else ((found as Gauge | undefined) ?? new Gauge(options)).set(labels, value);
  }
}

/** The names that inputs give to the addresses of Vault's nodes. */
function nodeNames(config: Config): Record<string, string> {
  return Object.assign({}, ...inputsOf(config).map((input) => ('nodes' in input ? input.nodes : {})));
}

function keysOf(config: Config): KeyRing {
  const admin = {
    name: 'admin',
    role: 'admin' as const,
    digest: keyDigest(readFileSync(dataFiles(config.dataDir).adminKey, 'utf8').trim()),
  };
  return [
    admin,
    ...config.keys.map(({ name, role, file }) => ({ name, role, digest: keyDigest(readKey(name, file)) })),
  ];
}

function readKey(name: string, file: string): string {
  let key = '';
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch {
    // An unreadable file and a short key are mended alike.
  }
  if (key.length >= 32) return key;
  throw new SealwatchError(
    'CONFIG_INVALID',
    `the key of ${name} in ${file} cannot be read or has under 32 characters`,
    'Make one with `openssl rand -base64 32`.',
  );
}
