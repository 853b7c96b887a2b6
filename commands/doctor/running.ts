// A running sealwatch: is it ready, and what does its own record say of the devices.

import { readFileSync } from 'node:fs';
import { type Config, dataFiles } from '../../core/config.ts';
import { labelled, nameAndLabels } from '../../core/telemetry.ts';
import { lockDataDir } from '../lock.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { connects } from './inputs.ts';
import { findingsOfRights } from './vault.ts';

/** Whether something listens where the API of this configuration is. */
export const isRunning = ({ api }: Config): Promise<boolean> => connects({ host: api.host, port: api.port });

/** The folder of a sealwatch that does not run must be free. */
export function checkLock(config: Config): Finding {
  try {
    lockDataDir(config.dataDir)[Symbol.dispose]();
    return ok('sealwatch does not run; its data folder is free');
  } catch {
    if (config.stream === 'kafka') return ok('the data folder is in use, as that of a stage that runs is');
    return warn(
      'a sealwatch uses this data folder, but not this API port',
      'Give doctor the same configuration as the running sealwatch.',
    );
  }
}

export async function checkRunning(config: Config): Promise<Finding[]> {
  const at = `${config.api.host}:${config.api.port}`;
  try {
    const answer = await ask(config, '/readyz');
    const body = (await answer.json()) as { ready?: boolean; reasons?: string[] };
    if (answer.ok) return [ok(`sealwatch runs on ${at} and is ready`), ...(await checkRecord(config))];
    const reasons = body.reasons?.join(', ') ?? answer.status;
    return [fail(`sealwatch on ${at} is not ready: ${reasons}`, 'Look at its log on standard error.')];
  } catch {
    return [fail(`what listens on ${at} is not sealwatch`, 'Set SEALWATCH_API_PORT to a free port.')];
  }
}

/** The part of GET /v1/coverage that is looked at here. */
export interface Coverage {
  devices: { device: string; silent: boolean; heartbeat_seen: number; heartbeat_missed: number }[];
  totals: Totals;
  nodes: { node: string; collected: boolean }[];
}
export interface Totals {
  received: number;
  dropped: number;
  gaps: number;
  unconfirmed: number;
  refused: number;
  log_raw: number;
  token_in_plain: number;
  rejected: number;
  rejected_by_reason: Record<string, number>;
}

/** What the last day says, and what the counters since the start say. */
async function checkRecord(config: Config): Promise<Finding[]> {
  const from = new Date(Date.now() - 86_400_000).toISOString();
  const coverage = await ask(config, `/v1/coverage?from=${from}&limit=1`);
  const metrics = await ask(config, '/metrics');
  if (!coverage.ok || !metrics.ok)
    return [warn('the running sealwatch uses another data folder', 'Give doctor the same configuration.')];
  return [
    ...findingsOfCoverage((await coverage.json()) as Coverage),
    ...findingsOfMetrics(await metrics.text()),
  ];
}

/** Findings about the last day. */
export function findingsOfCoverage({ devices, totals, nodes }: Coverage): Finding[] {
  const silent = devices.filter((device) => device.silent).map(({ device }) => device);
  const missing = [...new Set(nodes.filter(({ collected }) => !collected).map(({ node }) => node))];
  const { jsonx = 0 } = totals.rejected_by_reason;
  const said = (count: number, what: string, todo: string) => (count > 0 ? [warn(what, todo)] : []);
  return [
    totals.received > 0
      ? ok(`${totals.received} lines in the last day`)
      : warn('no line has come in the last day', 'Is a device enabled? `vault audit list -detailed`'),
    ...said(
      totals.received > 0 ? silent.length : 0,
      `configured, but silent for a day: ${silent.join(', ')}`,
      'Enable the device in Vault, or turn the input off: calls wait for each configured device.',
    ),
    ...said(
      missing.length,
      `nodes that forward calls and are not collected: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`,
      'Run a collector for them, or name the node of the input that has their lines (`node`, `nodes`).',
    ),
    totals.dropped > 0
      ? warn(
          `${totals.dropped} lines dropped in the last day`,
          'See /v1/coverage for when; the file device has them. A quota or a slow disk is the cause.',
        )
      : ok('nothing dropped in the last day'),
    ...said(
      totals.unconfirmed,
      `${totals.unconfirmed} lines answered before they were durable`,
      'The disk is slow: move the data folder, or raise httpDurableWaitMs.',
    ),
    ...said(
      totals.refused,
      `${totals.refused} senders refused`,
      'Someone not allowed, or too many connections: look who connects (`ss -tn`), and at `allow`.',
    ),
    ...said(jsonx, `${jsonx} lines were JSONx and were refused`, 'Enable the device with format=json.'),
    ...said(
      totals.rejected - jsonx,
      `${totals.rejected - jsonx} lines could not be read`,
      'See rejected_by_reason of /v1/coverage: another program writes to the device, or lines are cut.',
    ),
    ...(totals.log_raw > 0
      ? [
          fail(
            `${totals.log_raw} lines came from a device with log_raw=true`,
            'Enable it without log_raw: its file holds secrets in clear. Rotate what it showed.',
          ),
        ]
      : []),
    ...said(
      totals.token_in_plain,
      `${totals.token_in_plain} lines held a token in plain`,
      'Somebody puts tokens into paths or headers; sealwatch took them out, other readers of the log did not.',
    ),
  ];
}

/** Findings since the start: inputs that used up their quota, and how the newest look-up went on each device. */
export function findingsOfMetrics(text: string): Finding[] {
  const metrics = text.split('\n').flatMap((line) => {
    const [, metric, value] = /^([^#\s][^ ]*) (\S+)$/.exec(line) ?? [];
    return metric === undefined ? [] : [{ ...nameAndLabels(metric), value: Number(value) }];
  });
  const overQuota = metrics.filter(
    ({ name, labels }) => name === 'sealwatch_device_lost_total' && labels['reason'] === 'quota',
  );
  return [
    ...overQuota.map(({ labels, value }) =>
      warn(
        `${labels['device']} used up its part of the spool: ${value} lines dropped since the start`,
        'Raise its quotaMiB, or find out who writes so much.',
      ),
    ),
    ...(metrics.some(({ name, value }) => name === 'sealwatch_rules_invalid' && value === 1)
      ? [
          fail(
            'rules or lists were changed and cannot be taken over: those before are in force',
            'See below, or its log on standard error, for file and line; mended files are taken over by themselves.',
          ),
        ]
      : []),
    ...findingsOfLookups(metrics),
    ...findingsOfLogin(metrics),
  ];
}

/** How the login of the running sealwatch goes; nothing without one. */
function findingsOfLogin(metrics: Shown[]): Finding[] {
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value;
  if (of('sealwatch_vault_logins_total') === undefined) return [];
  const left = of('sealwatch_vault_token_seconds_left');
  const missing = of('sealwatch_vault_secrets_missing') ?? 0;
  const allowed = metrics.filter(({ name }) => name === 'sealwatch_vault_allowed');
  const rights = {
    ...Object.fromEntries(
      allowed.map(({ name, labels, value }) => [labelled(name, { path: labels['path'] ?? '' }), value]),
    ),
    sealwatch_vault_token_is_root: of('sealwatch_vault_token_is_root') ?? 0,
  };
  return [
    left === 0
      ? fail('sealwatch has no token of Vault', 'Its log on standard error says why; the reason is `fault`.')
      : ok(`sealwatch is logged in to Vault${left === undefined ? '' : `, for ${left.toFixed(0)} s more`}`),
    ...(allowed.length > 0 ? findingsOfRights(rights) : []),
    ...(missing > 0
      ? [
          fail(
            `${missing} secret(s) of sealwatch in Vault could not be read yet`,
            'Its log on standard error says which and why.',
          ),
        ]
      : []),
  ];
}

interface Shown {
  name: string;
  labels: Record<string, string>;
  value: number;
}

function findingsOfLookups(metrics: Shown[]): Finding[] {
  const newest = (name: string) => metrics.find((metric) => metric.name === name)?.value;
  // None is configured, or it runs for less than a minute.
  if ((newest('sealwatch_heartbeats_sent_total') ?? 0) === 0) return [];
  const age = newest('sealwatch_heartbeat_answer_age_seconds');
  const judged = metrics.filter(({ name }) => name === 'sealwatch_device_heartbeat_seen');
  const [seen, blind] = [1, 0].map((wanted) =>
    judged.filter(({ value }) => value === wanted).map(({ labels }) => labels['device'] ?? ''),
  ) as [string[], string[]];
  return [
    age === undefined
      ? warn('Vault has not answered a look-up since the start', 'See below what Vault answers now.')
      : ok(`Vault answered the last look-up ${age.toFixed(0)} s ago`),
    ...(seen.length > 0 ? [ok(`the look-up came back on ${seen.join(', ')}`)] : []),
    ...blind.map((device) =>
      fail(
        `${device} is blind: the last look-up did not come back on it`,
        'Is the device enabled (`vault audit list`), and does it write where sealwatch reads?',
      ),
    ),
  ];
}

function ask(config: Config, path: string): Promise<Response> {
  const key = readFileSync(dataFiles(config.dataDir).adminKey, 'utf8').trim();
  return fetch(`http://${config.api.host}:${config.api.port}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(5_000),
  });
}
