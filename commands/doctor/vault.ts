// The Vault that is asked: does it answer this token, and does its clock agree with ours.

import type { Config } from '../../core/config.ts';
import { isLoopback } from '../../core/devices.ts';
import { VaultClient } from '../../vault/client.ts';
import { clockDifference } from '../../vault/heartbeat.ts';
import { checkSecret } from './files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const CLOCK_SECONDS = 5;

export async function checkVault({ vault }: Config): Promise<Finding[]> {
  const { address, tokenFile, caFile } = vault;
  if (address === undefined || tokenFile === undefined)
    return [
      warn(
        'no Vault is asked, so a blind device looks like a quiet one',
        'Set SEALWATCH_VAULT_ADDRESS and SEALWATCH_VAULT_TOKEN_FILE.',
      ),
    ];
  const url = new URL(address);
  const isReadable = url.protocol === 'http:' && !isLoopback(url.hostname);
  const askedMs = Date.now();
  const answer = await new VaultClient({ address, tokenFile, caFile }).read('auth/token/lookup-self');
  return [
    checkSecret("sealwatch's token of Vault", tokenFile),
    ...(isReadable
      ? [warn(`the token travels to ${address} without TLS`, 'Use https and SEALWATCH_VAULT_CA_FILE.')]
      : []),
    answer.fault === undefined
      ? ok(`Vault on ${address} answers`)
      : fail(`Vault on ${address} does not answer the look-up (${answer.fault})`, adviceOn(answer.fault)),
    ...(answer.dateMs === undefined ? [] : [checkClock(clockDifference(answer.dateMs, askedMs, Date.now()))]),
  ];
}

export function checkClock(seconds: number): Finding {
  if (Math.abs(seconds) <= CLOCK_SECONDS) return ok("Vault's clock agrees with this host's");
  const text = `Vault's clock is ${Math.abs(seconds).toFixed(0)} s ${seconds > 0 ? 'ahead of' : 'behind'} this host's`;
  return warn(
    text,
    'Set both by NTP: event times are those of Vault, and a device whose time jumps makes lines late.',
  );
}

function adviceOn(fault: string): string {
  if (fault === 'status_403')
    return 'The token has ended or was revoked: let Vault Agent keep the file fresh.';
  if (fault === 'status_503') return 'Vault is sealed: unseal it.';
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(fault))
    return "Set SEALWATCH_VAULT_CA_FILE to the authority of Vault's certificate.";
  return 'Check the address, that this host reaches it, and that Vault runs.';
}
