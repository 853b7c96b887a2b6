// The heartbeat of `run`, on the first thread: it has nothing else to do, so no look-up holds up a socket, a stage or a query.

import type { Config } from '../../core/config.ts';
import type { Answer } from '../../core/records.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { VaultClient } from '../../vault/client.ts';
import { Heartbeat } from '../../vault/heartbeat.ts';
import { createLogger } from './thread.ts';

export interface RunningHeartbeat {
  metrics(): Metrics;
  stop(): void;
}

/** Asks the configured Vault every `vault.heartbeatSeconds`; without one it does nothing. */
export function startHeartbeat(config: Config, onAnswer: (answer: Answer) => void): RunningHeartbeat {
  const { address, tokenFile, caFile, heartbeatSeconds } = config.vault;
  if (address === undefined || tokenFile === undefined) return { metrics: () => ({}), stop: () => {} };
  const heartbeat = new Heartbeat({
    client: new VaultClient({ address, tokenFile, caFile }),
    logger: createLogger(config.logLevel, 'main'),
    now: Date.now,
    onAnswer,
  });
  const timer = setInterval(() => void heartbeat.beat(), heartbeatSeconds * 1000);
  return {
    metrics: () => metricsOf(heartbeat),
    stop: () => clearInterval(timer),
  };
}

const metricsOf = ({ counters, lastAnswerMs, clockSeconds }: Heartbeat): Metrics => ({
  sealwatch_heartbeats_sent_total: counters.sent,
  sealwatch_heartbeats_answered_total: counters.answered,
  ...(lastAnswerMs > 0 && { sealwatch_heartbeat_answer_age_seconds: (Date.now() - lastAnswerMs) / 1000 }),
  ...(clockSeconds !== undefined && { sealwatch_vault_clock_ahead_seconds: clockSeconds }),
});
