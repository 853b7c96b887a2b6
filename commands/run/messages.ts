// What the threads of a process say to each other.

import type { Config } from '../../core/config.ts';
import { type ErrorCode, mendable, SealwatchError } from '../../core/errors.ts';
import type { Answer, Question, StageName } from '../../core/records.ts';
import type { Metrics } from '../../core/telemetry.ts';

export interface ThreadData {
  config: Config;
  version: string;
  /** What this process runs: each thread does its part of it. */
  stages: readonly StageName[];
}

export type FromThread =
  /** First of all: the thread's modules are loaded. */
  | { type: 'loaded' }
  | { type: 'ready'; says: Record<string, string> }
  | { type: 'metrics'; metrics: Metrics }
  /** What the ledger wants to know from Vault. */
  | { type: 'question'; question: Question }
  /** Other rules or lists judge from now on. */
  | { type: 'rules' }
  | { type: 'failed'; code: ErrorCode; message: string; advice: string };

export type ToThread =
  | { type: 'stop' }
  /** Look at rules and lists now; other ones judge from now on. */
  | { type: 'reload' }
  | { type: 'answer'; answer: Answer }
  /** An own secret was read from Vault: `ref` is what the configuration has in its place. */
  | { type: 'secret'; ref: string; value: string }
  | { type: 'metrics'; metrics: Metrics; ready: boolean; reasons: string[] };

/** An error as a message; one that is not the user's to mend is INTERNAL. */
export function failure(thrown: unknown, dataDir: string): Extract<FromThread, { type: 'failed' }> {
  const error = mendable(thrown, dataDir);
  if (error instanceof SealwatchError)
    return { type: 'failed', code: error.code, message: error.message, advice: error.advice };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    type: 'failed',
    code: 'INTERNAL',
    message,
    advice: 'This is a bug of sealwatch; start it again, nothing is lost.',
  };
}
