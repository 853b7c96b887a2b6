// Health, readiness and numbers of a process without the API, on the first thread.

import { readFileSync } from 'node:fs';
import { keyDigest } from '../../api/auth.ts';
import { buildHealth } from '../../api/health.ts';
import { type Config, dataFiles } from '../../core/config.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { listenOn } from './listen.ts';
import { MetricsPage } from './metrics-page.ts';
import type { Readiness } from './report.ts';
import { createLogger } from './thread.ts';

export interface Health extends AsyncDisposable {
  readonly address: string;
  show(metrics: Metrics, state: Readiness): void;
}

/** Listens where the configuration says; undefined when it says nothing. Throws PORT_TAKEN or LISTEN_FAILED. */
export async function startHealth({ stage, dataDir, logLevel }: Config): Promise<Health | undefined> {
  const { host, port } = stage;
  if (port === undefined) return undefined;
  const key = readFileSync(dataFiles(dataDir).adminKey, 'utf8').trim();
  const page = new MetricsPage();
  let state: Readiness = { ready: false, reasons: ['starting'] };
  const app = buildHealth({
    keys: [{ name: 'admin', role: 'admin', digest: keyDigest(key) }],
    metrics: () => page.text(),
    ready: () => state,
    logger: createLogger(logLevel, 'main'),
  });
  return {
    address: await listenOn(app, { host, port }, 'stage'),
    show: (metrics, now) => {
      page.show(metrics);
      state = now;
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}
