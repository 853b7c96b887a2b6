// The API's thread: a read-only connection to the evidence store, so that no query holds up what comes in.

import { appendFileSync, readFileSync } from 'node:fs';
import { type MessagePort, workerData } from 'node:worker_threads';
import { buildApi } from '../../api/app.ts';
import { type ApiKey, keyDigest } from '../../api/auth.ts';
import type { RuleInfo } from '../../api/options.ts';
import type { PostureSettings } from '../../api/posture/settings.ts';
import { type Config, configuredDevices, dataFiles, inputsOf } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { secretRef } from '../../core/secret-ref.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { load } from '../rules/load.ts';
import { listenOn } from './listen.ts';
import { MetricsPage } from './metrics-page.ts';
import { portRecorder } from './recorder.ts';
import { shownRules, switchedOff, withStates } from './shown-rules.ts';
import { runThread } from './thread.ts';

// Above what runs: the thread works before this module is at its end.
const KEY_CHARS_MIN = 32;

await runThread('serve', async ({ data, logger, say }) => {
  const { config, version } = data;
  const files = dataFiles(config.dataDir);
  const { records } = workerData as { records: MessagePort };
  const reader = openEvidenceReader(files.evidence);
  const page = new MetricsPage();
  const keys = keysOf(config);
  const catalogue = () => shownRules(load(config.rules));
  let rules = catalogue();
  let off: ReadonlySet<string> = new Set();
  let state = { ready: false, reasons: ['starting'] };
  const app = buildApi({
    reader,
    recorder: portRecorder(records),
    keys,
    cluster: config.cluster,
    devices: configuredDevices(config),
    nodes: nodeNames(config),
    version,
    posture: postureOf(config),
    rules: () => withStates(rules, off),
    recordAccess: accessRecorder(files.accessLog),
    metrics: () => page.text(),
    ready: () => state,
    now: () => new Date(),
    logger,
  });
  const address = await listenOn(app, config.api, 'api');
  say({ type: 'ready', says: { address } });
  return {
    stop: async () => {
      await app.close();
      records.close();
      await reader[Symbol.asyncDispose]();
    },
    metrics: () => ({}),
    hear: (message) => {
      if (message.type === 'secret') takeKey(keys, config, message);
      if (message.type === 'reload') rules = reloaded(catalogue) ?? rules;
      if (message.type !== 'metrics') return;
      state = { ready: message.ready, reasons: message.reasons };
      off = switchedOff(message.metrics);
      page.show(message.metrics);
    },
  };
});

/** Undefined when the files were changed again and are invalid now: the pipeline says so. */
function reloaded(catalogue: () => RuleInfo[]): RuleInfo[] | undefined {
  try {
    return catalogue();
  } catch {
    return undefined;
  }
}

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

/** The names that inputs give to the addresses of Vault's nodes. */
function nodeNames(config: Config): Record<string, string> {
  return Object.assign({}, ...inputsOf(config).map((input) => ('nodes' in input ? input.nodes : {})));
}

/** The keys of files; those that lie in Vault come when they are read. */
function keysOf(config: Config): ApiKey[] {
  const admin = {
    name: 'admin',
    role: 'admin' as const,
    digest: keyDigest(readFileSync(dataFiles(config.dataDir).adminKey, 'utf8').trim()),
  };
  const inFiles = config.keys.filter(({ file }) => secretRef(file) === undefined);
  return [
    admin,
    ...inFiles.map(({ name, role, file }) => ({ name, role, digest: keyDigest(readKey(name, file)) })),
  ];
}

/** A key was read from Vault; what it was before is good no more. A short one is not taken. */
function takeKey(keys: ApiKey[], config: Config, { ref, value }: { ref: string; value: string }): void {
  if (value.length < KEY_CHARS_MIN) return;
  for (const { name, role, file } of config.keys) {
    if (file !== ref) continue;
    const key = { name, role, digest: keyDigest(value) };
    // The first is the admin's, whatever the others are called.
    const at = keys.findIndex((known, i) => i > 0 && known.name === name);
    if (at < 0) keys.push(key);
    else keys[at] = key;
  }
}

function readKey(name: string, file: string): string {
  let key = '';
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch {
    // An unreadable file and a short key are mended alike.
  }
  if (key.length >= KEY_CHARS_MIN) return key;
  throw new SealwatchError(
    'CONFIG_INVALID',
    `the key of ${name} in ${file} cannot be read or has under ${KEY_CHARS_MIN} characters`,
    'Make one with `openssl rand -base64 32`.',
  );
}
