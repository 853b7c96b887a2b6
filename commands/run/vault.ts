// sealwatch as a client of Vault, on the first thread: it has nothing else to do, so no call holds up a socket, a stage or a query.
// The heartbeat, the ledger's questions, and secrets of sealwatch's own go over one session.

import { type Config, configuredDevices, type secretRefsOf } from '../../core/config.ts';
import type { Answer, Question } from '../../core/records.ts';
import { labelled, type Metrics } from '../../core/telemetry.ts';
import { Asker, askOutcomes } from '../../vault/asker.ts';
import { Budget } from '../../vault/budget.ts';
import { Heartbeat } from '../../vault/heartbeat.ts';
import { LoginKeeper } from '../../vault/login-keeper.ts';
import { type OpenVault, openVault } from '../../vault/open.ts';
import { Rights } from '../../vault/rights.ts';
import { OwnSecrets } from '../../vault/secrets.ts';
import { takeLogins } from '../doctor-logins.ts';
import { createLogger } from './thread.ts';

export interface RunningVault {
  /** The ledger's question; without a Vault nobody answers it. */
  ask(question: Question): void;
  /** `lines` of all audit devices were received since the start. */
  metrics(lines: number): Metrics;
  /** Gives the token back. */
  stop(): Promise<void>;
}

export interface VaultOptions {
  /** Heartbeat and questions: of the process whose ledger works, and of no other. */
  asks: boolean;
  /** Names this process where others log in with the same role. */
  holder?: string;
  /** Own secrets that are followed. */
  refs: ReturnType<typeof secretRefsOf>;
  onAnswer: (answer: Answer) => void;
  onSecret: (ref: string, value: string) => void;
}

/** Starts to talk with the configured Vault; without one, or without anything to ask for, it does nothing. */
export function startVault(config: Config, options: VaultOptions): RunningVault {
  const { asks, refs, holder, onSecret } = options;
  const onAnswer = (answer: Answer) =>
    options.onAnswer(holder === undefined ? answer : { ...answer, holder });
  const logger = createLogger(config.logLevel, 'main');
  const common = { logger, now: Date.now, random: Math.random };
  let rights: Rights | undefined;
  const onLogin = (answer: Answer) => {
    onAnswer(answer);
    if (asks) void rights?.look();
  };
  const opened =
    asks || refs.length > 0 ? openVault(config.vault, { ...common, env: process.env, onLogin }) : undefined;
  if (opened === undefined) return { ask: () => {}, metrics: () => ({}), stop: async () => {} };
  for (const answer of takeLogins(config)) onAnswer(answer);
  const { session } = opened;
  rights = new Rights(session);
  const { budgetPercent, budgetCalls, heartbeatSeconds, secretPollSeconds } = config.vault;
  const budget = new Budget({
    percent: budgetPercent,
    calls: budgetCalls,
    linesPerCall: 2 * configuredDevices(config).length,
  });
  const parts = {
    ...opened,
    budget,
    heartbeat: new Heartbeat({ session, logger, now: Date.now, onAnswer }),
    asker: new Asker({ ...common, session, budget, onAnswer }),
    rights,
    secrets: new OwnSecrets({
      ...common,
      session,
      refs,
      pollMs: secretPollSeconds * 1000,
      onValue: onSecret,
    }),
  };
  return running(parts, asks ? heartbeatSeconds : undefined);
}

interface Parts extends OpenVault {
  budget: Budget;
  heartbeat: Heartbeat;
  asker: Asker;
  rights: Rights;
  secrets: OwnSecrets;
}

function running(parts: Parts, heartbeatSeconds: number | undefined): RunningVault {
  const { client, session, budget, heartbeat, asker, rights, secrets } = parts;
  session.start();
  secrets.start();
  const timers =
    heartbeatSeconds === undefined
      ? []
      : [
          setInterval(() => void heartbeat.beat(), heartbeatSeconds * 1000),
          setInterval(() => void rights.look(), RIGHTS_MS),
        ];
  return {
    ask: (question) => asker.ask(question),
    metrics: (lines) => {
      budget.received(lines, client.calls);
      return metricsOf(parts);
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      void asker.stop();
      void secrets.stop();
      await session.stop();
    },
  };
}

/** One call; rights change seldom. */
const RIGHTS_MS = 600_000;

function metricsOf({ client, keeper, heartbeat, asker, budget, rights, secrets }: Parts): Metrics {
  const { counters, lastAnswerMs, clockSeconds } = heartbeat;
  const nowMs = Date.now();
  return {
    sealwatch_heartbeats_sent_total: counters.sent,
    sealwatch_heartbeats_answered_total: counters.answered,
    ...(lastAnswerMs > 0 && { sealwatch_heartbeat_answer_age_seconds: (nowMs - lastAnswerMs) / 1000 }),
    ...(clockSeconds !== undefined && { sealwatch_vault_clock_ahead_seconds: clockSeconds }),
    sealwatch_vault_calls_total: client.calls,
    sealwatch_vault_budget_left_calls: budget.left,
    sealwatch_vault_questions_waiting: asker.waiting,
    sealwatch_vault_secrets_missing: secrets.missing,
    sealwatch_vault_secrets_read_total: secrets.counters.read,
    ...(keeper instanceof LoginKeeper && loginMetrics(keeper, nowMs)),
    ...questionMetrics(asker),
    ...rights.metrics(),
  };
}

function loginMetrics({ counters, endsMs }: LoginKeeper, nowMs: number): Metrics {
  return {
    sealwatch_vault_logins_total: counters.logins,
    sealwatch_vault_logins_refused_total: counters.refused,
    sealwatch_vault_token_renewals_total: counters.renewals,
    // 0 without a token; a token that does not end shows none.
    ...(endsMs !== Number.POSITIVE_INFINITY && {
      sealwatch_vault_token_seconds_left: Math.max(0, ((endsMs ?? nowMs) - nowMs) / 1000),
    }),
  };
}

function questionMetrics({ counters }: Asker): Metrics {
  const metrics: Metrics = {};
  for (const [need, counts] of counters)
    for (const outcome of askOutcomes)
      metrics[labelled(`sealwatch_vault_questions_${outcome}_total`, { need })] = counts[outcome];
  return metrics;
}
