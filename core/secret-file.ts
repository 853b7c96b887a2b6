// A secret that the configuration names by its file: a password of Kafka, a key of Elasticsearch.

import { readFileSync } from 'node:fs';
import { SealwatchError, systemCode } from './errors.ts';

/**
 * The text of `path` without white space around it. Throws SealwatchError CONFIG_INVALID, which names `key` of the configuration,
 * when it cannot be read or is empty; never shows what is in it.
 */
export function readSecretFile(path: string, key: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new SealwatchError(
      'CONFIG_INVALID',
      `${key}: ${path} cannot be read (${systemCode(error)})`,
      'Check the path and its rights.',
      { cause: error },
    );
  }
  if (text === '')
    throw new SealwatchError('CONFIG_INVALID', `${key}: ${path} is empty`, 'Put the secret there.');
  return text;
}
