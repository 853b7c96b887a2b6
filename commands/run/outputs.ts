// The outputs for alerts that the configuration names.

import { readFileSync } from 'node:fs';
import { alertFilter } from '../../core/alert-filter.ts';
import { type Config, dataFiles } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { secretRef } from '../../core/secret-ref.ts';
import { fileOutput } from '../../outputs/alerts/file.ts';
import type { AlertOutput } from '../../outputs/alerts/output.ts';
import { webhookOutput } from '../../outputs/alerts/webhook.ts';

const alertsPath = (config: Config): string => config.outputs.file.path ?? dataFiles(config.dataDir).alerts;

/** `secrets` are those that were read from Vault, by what the configuration has in their place. */
export function outputsOf(config: Config, secrets: ReadonlyMap<string, string>): AlertOutput[] {
  const { url, secretFile } = config.outputs.webhook;
  const file = { ...fileOutput(alertsPath(config)), ...accepting(config.outputs.file.match) };
  if (url === undefined || secretFile === undefined) return [file];
  const read = secretRef(secretFile) === undefined ? readSecret(secretFile) : undefined;
  const secret = () => read ?? secrets.get(secretFile);
  const webhook = webhookOutput({ url, secret, now: Date.now });
  return [file, { ...webhook, ...accepting(config.outputs.webhook.match) }];
}

const accepting = (match: Record<string, unknown> | undefined): Pick<AlertOutput, 'accepts'> =>
  match === undefined ? {} : { accepts: alertFilter(match) };

function readSecret(path: string): string {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret !== '') return secret;
  } catch (error) {
    throw new SealwatchError(
      'CONFIG_INVALID',
      `outputs.webhook.secretFile ${path} cannot be read`,
      'Put the signing key there, readable for sealwatch only.',
      { cause: error },
    );
  }
  throw new SealwatchError(
    'CONFIG_INVALID',
    `outputs.webhook.secretFile ${path} is empty`,
    'Put the signing key there.',
  );
}
