// The API's thread: a read-only connection to the evidence store, so that no query holds up what comes in.

import { appendFileSync } from 'node:fs';
import { type MessagePort, workerData } from 'node:worker_threads';
import { buildApi } from '../../api/app.ts';
import type { RuleInfo } from '../../api/options.ts';
import type { PostureSettings } from '../../api/posture/settings.ts';
import { type Config, configuredDevices, dataFiles, inputsOf } from '../../core/config.ts';
import { load } from '../rules/load.ts';
import { keysOf, takeKey } from './api-keys.ts';
import { listenOn } from './listen.ts';
import { MetricsPage } from './metrics-page.ts';
import { openReader } from './open.ts';
import { OwnStream } from './own-stream.ts';
import { portRecorder } from './recorder.ts';
import { followRules, shownRules, switchedOff, withStates } from './shown-rules.ts';
import { runThread } from './thread.ts';

await runThread('serve', async ({ data, logger, say }) => {
  const { config, version } = data;
  const files = dataFiles(config.dataDir);
  // Of the pipeline in this process, which has a stream; without one what people do goes onto a stream of our own.
  const { records } = workerData as { records?: MessagePort };
  const own = records === undefined ? new OwnStream(config, logger) : undefined;
  const reader = await openReader(config);
  const page = new MetricsPage();
  const keys = keysOf(config);
  const catalogue = () => shownRules(load(config.rules));
  let rules = catalogue();
  // Which are off only those know who judge: without detectors here nobody does.
  let off: ReadonlySet<string> | undefined;
  let state = { ready: false, reasons: ['starting'] };
  const app = buildApi({
    reader,
    recorder: records === undefined ? (own as OwnStream) : portRecorder(records),
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
  const take = () => {
    rules = reloaded(catalogue) ?? rules;
  };
  // The pipeline says when it has taken other rules over.
  const following = own === undefined ? undefined : followRules(config.rules, take);
  say({ type: 'ready', says: { address } });
  return {
    stop: async () => {
      await app.close();
      records?.close();
      following?.[Symbol.dispose]();
      await own?.[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
    },
    metrics: () => ({}),
    hear: (message) => {
      if (message.type === 'secret') takeKey(keys, config, message);
      if (message.type === 'answer') void own?.take(message.answer);
      if (message.type === 'reload') take();
      if (message.type !== 'metrics') return;
      state = { ready: message.ready, reasons: message.reasons };
      if (own === undefined) off = switchedOff(message.metrics);
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
