// The recorded play of leases and tokens (test/fixtures/README.md): logs, answers, and what Vault listed on the way.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Answer } from '../../../core/records.ts';
import type { Checkpoint, ListedToken } from '../../real/ledger/truth.ts';

const folder = 'test/fixtures/vault-1.21.1/ledger';
const linesOf = (name: string): string[] =>
  gunzipSync(readFileSync(`${folder}/${name}.jsonl.gz`))
    .toString()
    .split('\n')
    .slice(0, -1);
const jsonOf = <T>(name: string): T[] => linesOf(name).map((line) => JSON.parse(line) as T);

/** A checkpoint whose tokens have the hash that the device `file` shows for their accessor. */
export interface RecordedCheckpoint extends Checkpoint {
  tokens: (ListedToken & { hash?: string })[];
}

export const recordedLog = (device: 'audit' | 'plain-accessor'): string[] => linesOf(device);
export const recordedAnswers = (): Answer[] => jsonOf('vault-answers');
export const recordedCheckpoints = (): RecordedCheckpoint[] => jsonOf('checkpoints');

/** The log of a Vault that sealwatch may not ask: without the calls of its own. */
export const withoutOwnCalls = (lines: string[]): string[] =>
  lines.filter((line) => !line.includes('"user-agent":["sealwatch"]'));
