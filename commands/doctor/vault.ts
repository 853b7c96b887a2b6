// The Vault that is asked: can sealwatch log in, may it ask what it wants to ask, and does Vault's clock agree with ours.

import type { Config } from '../../core/config.ts';
import { isLoopback } from '../../core/devices.ts';
import type { Metrics } from '../../core/telemetry.ts';
import { clockDifference } from '../../vault/heartbeat.ts';
import { type OpenVault, openVault } from '../../vault/open.ts';
import { Rights } from '../../vault/rights.ts';
import { noteLogin } from '../doctor-logins.ts';
import { checkSecret } from './files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const CLOCK_SECONDS = 5;

/**
 * A running sealwatch has a login of its own, and its metrics say how that goes: doctor does not log in beside it, since to the
 * detectors a second token of the same identity is a thief's. Of stages that run apart nobody here knows whether they run.
 */
export async function checkVault(config: Config, runs: boolean): Promise<Finding[]> {
  const { vault } = config;
  const { address } = vault;
  if (address === undefined)
    return [
      warn(
        'no Vault is asked, so a blind device looks like a quiet one, and lifetimes of leases stay unknown',
        'Set SEALWATCH_VAULT_ADDRESS and a way to log in: docs/operating/vault-client.md.',
      ),
    ];
  const url = new URL(address);
  const isReadable = url.protocol === 'http:' && !isLoopback(url.hostname);
  return [
    ...checkFiles(vault),
    ...(isReadable
      ? [warn(`the token travels to ${address} without TLS`, 'Use https and SEALWATCH_VAULT_CA_FILE.')]
      : []),
    ...(await checkLogin(config, runs)),
  ];
}

async function checkLogin(config: Config, runs: boolean): Promise<Finding[]> {
  if (config.vault.login.method === undefined) return checkSession(config);
  if (runs) return [];
  if (config.stream === 'embedded') return checkSession(config);
  return [
    warn(
      "whether sealwatch can log in to Vault was not tried: the detectors would take a second token of its identity for a thief's",
      'Look at /metrics of the ledger that works (SEALWATCH_STAGE_PORT): sealwatch_vault_token_seconds_left is above 0, and sealwatch_vault_allowed says what it may ask.',
    ),
  ];
}

function checkFiles({ tokenFile, login }: Config['vault']): Finding[] {
  const files: [what: string, path: string | undefined][] = [
    ["sealwatch's token of Vault", tokenFile],
    ['the secret id', login.secretIdFile],
    ['the wrapped secret id', login.wrappedSecretIdFile],
    ['the token to log in with', login.jwtFile],
    ['the key to log in with', login.keyFile],
  ];
  return files.flatMap(([what, path]) => (path === undefined ? [] : [checkSecret(what, path)]));
}

/** Logs in, looks, and gives the token back; leaves a note of it for the next start. */
async function checkSession(config: Config): Promise<Finding[]> {
  const { vault } = config;
  const isLogin = vault.login.method !== undefined;
  try {
    if (isLogin) noteLogin(config);
  } catch {
    return [
      warn(
        'whether sealwatch can log in to Vault was not tried, since the data folder cannot be written',
        'Run doctor as the user of sealwatch.',
      ),
    ];
  }
  let fault = 'no_token';
  const hear = (fields: object) => {
    fault = String((fields as { fault?: unknown }).fault ?? fault);
  };
  const silent = () => {};
  const opened = openVault(vault, {
    logger: { debug: silent, info: silent, warn: hear, error: hear },
    now: Date.now,
    random: Math.random,
    env: process.env,
    onLogin: (answer) => {
      if (isLogin) noteLogin(config, answer);
    },
  });
  if (opened === undefined) return [];
  await opened.keeper.step();
  if ((await opened.keeper.token()) === undefined)
    return [fail(`sealwatch gets no token of Vault on ${vault.address} (${fault})`, adviceOn(fault))];
  const findings = await checkCalls(vault.address ?? '', opened);
  await opened.keeper.end();
  return findings;
}

async function checkCalls(address: string, { session }: OpenVault): Promise<Finding[]> {
  const askedMs = Date.now();
  const answer = await session.read('auth/token/lookup-self');
  const rights = new Rights(session);
  const unknown = await rights.look();
  return [
    answer.fault === undefined
      ? ok(`Vault on ${address} answers`)
      : fail(`Vault on ${address} does not answer the look-up (${answer.fault})`, adviceOn(answer.fault)),
    ...(answer.dateMs === undefined ? [] : [checkClock(clockDifference(answer.dateMs, askedMs, Date.now()))]),
    ...(unknown === undefined
      ? findingsOfRights(rights.metrics())
      : [warn(`what the token may do is not known (${unknown})`, POLICY)]),
  ];
}

const POLICY = 'Give it the policy deploy/vault/sealwatch.hcl: vault policy write sealwatch sealwatch.hcl';

/** `metrics` as `Rights` makes them. */
export function findingsOfRights(metrics: Metrics): Finding[] {
  const denied = Object.entries(metrics).flatMap(([name, value]) => {
    const path = /^sealwatch_vault_allowed\{path="([^"]+)"\}$/.exec(name)?.[1];
    return path !== undefined && value === 0 ? [path] : [];
  });
  const isOptional = (path: string) => path.startsWith('sys/policies/');
  const needed = denied.filter((path) => !isOptional(path));
  return [
    ...(metrics['sealwatch_vault_token_is_root'] === 1
      ? [fail("sealwatch's token may do anything", `It needs little. ${POLICY}`)]
      : []),
    needed.length === 0
      ? ok('the token may ask all that sealwatch asks')
      : warn(`the token may not ask ${needed.join(', ')}, so lifetimes and names stay unknown`, POLICY),
    ...(denied.some(isOptional)
      ? [
          warn(
            'the token may not read policies, so who could read a secret is answered from the audit log alone',
            'If you want it to, add the policy deploy/vault/sealwatch-directory.hcl.',
          ),
        ]
      : []),
  ];
}

export function checkClock(seconds: number, whose = 'Vault'): Finding {
  if (Math.abs(seconds) <= CLOCK_SECONDS) return ok(`${whose}'s clock agrees with this host's`);
  const text = `${whose}'s clock is ${Math.abs(seconds).toFixed(0)} s ${seconds > 0 ? 'ahead of' : 'behind'} this host's`;
  return warn(
    text,
    'Set both by NTP: event times are those of Vault, and a device whose time jumps makes lines late.',
  );
}

/** By what a reason code begins with. */
const advice: [fault: RegExp, todo: string][] = [
  [
    /^token_refused|^status_403/,
    'The token has ended, was revoked, or lacks the policy deploy/vault/sealwatch.hcl: give it to the role; of a token file, let Vault Agent keep it fresh.',
  ],
  [/^status_400/, 'Vault refuses the login: check role, mount, and that the credential is still good.'],
  [/^status_503/, 'Vault is sealed: unseal it.'],
  [/^status_429/, 'A rate limit of Vault holds sealwatch back: leave it room in sys/quotas/rate-limit.'],
  [
    /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/,
    "Set SEALWATCH_VAULT_CA_FILE to the authority of Vault's certificate.",
  ],
  [
    /^secret_id_wrapping_used/,
    'Its wrapping token was used before or has ended. If it was not this sealwatch, somebody has the secret id: destroy it. Then wrap a new one.',
  ],
  [
    /^secret_id_wrapping_foreign/,
    'The file holds a wrapping token that AppRole did not make: find out who put it there.',
  ],
  [/_file_/, 'Check that the file is there, that sealwatch may read it, and what it holds.'],
  [/^aws_/, 'Check where this host or pod gets its AWS credentials: docs/operating/vault-client.md.'],
];

const adviceOn = (fault: string): string =>
  advice.find(([known]) => known.test(fault))?.[1] ??
  'Check the address, that this host reaches it, and that Vault runs.';
