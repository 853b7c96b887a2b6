// What sealwatch's token may do of what it wants to do: one question to Vault about itself, for `doctor` and the metrics.

import { z } from 'zod';
import { type OwnCall, ownCalls } from '../core/own-calls.ts';
import { labelled, type Metrics } from '../core/telemetry.ts';
import { dataOf } from './answers.ts';
import type { VaultSession } from './session.ts';

/** Paths of roles are allowed mount by mount, so nothing can be said of all of them; logins need no policy. */
export const probed: readonly OwnCall[] = ownCalls.filter(
  ({ path, policy }) => policy === 'sealwatch' || path === 'sys/policies/acl/+',
);

const capabilities = z.array(z.string());

export class Rights {
  private readonly session: Pick<VaultSession, 'post'>;
  private allowed = new Map<OwnCall, boolean>();
  /** The token may do anything: then the policy bounds nothing. */
  private isRoot = false;

  constructor(session: Pick<VaultSession, 'post'>) {
    this.session = session;
  }

  /** Asks once; returns why that failed. Never throws. */
  async look(): Promise<string | undefined> {
    const paths = [...new Set(probed.map(({ path }) => exampleOf(path)))];
    const answer = await this.session.post('sys/capabilities-self', { paths });
    const data = dataOf(answer);
    if (answer.fault !== undefined || data === undefined) return answer.fault ?? 'not_json';
    const of = (path: string) => capabilities.safeParse(data[exampleOf(path)]).data ?? [];
    this.isRoot = of('sys/mounts').includes('root');
    this.allowed = new Map(
      probed.map((call) => [call, this.isRoot || of(call.path).includes(call.operation)]),
    );
    return undefined;
  }

  /** By declared path, for each that was looked at: 1 when it is allowed. */
  metrics(): Metrics {
    const metrics: Metrics = {};
    for (const [{ path }, isAllowed] of this.allowed)
      metrics[labelled('sealwatch_vault_allowed', { path })] = isAllowed ? 1 : 0;
    if (this.allowed.size > 0) metrics['sealwatch_vault_token_is_root'] = this.isRoot ? 1 : 0;
    return metrics;
  }
}

/** A name that stands for any. */
const exampleOf = (path: string): string => path.replaceAll('+', 'sealwatch-example');
