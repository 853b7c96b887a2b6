// Secrets of sealwatch's own in KV v2: read once, then followed, so that whoever rotates them needs not start sealwatch again.

import { z } from 'zod';
import { limits } from '../core/limits.ts';
import type { SecretRef } from '../core/secret-ref.ts';
import type { Logger } from '../core/telemetry.ts';
import { dataOf, isFinal } from './answers.ts';
import { Backoff } from './backoff.ts';
import { Loop } from './loop.ts';
import { Said } from './said.ts';
import type { VaultSession } from './session.ts';

export interface OwnSecretsOptions {
  session: Pick<VaultSession, 'read'>;
  refs: readonly (SecretRef & { ref: string })[];
  pollMs: number;
  logger: Logger;
  random: () => number;
  /** Gets each value when it is read first and when it has changed. It goes to no stream and no log. */
  onValue: (ref: string, value: string) => void;
}

const created = z.object({ created_time: z.string().optional() });
const metadata = z.object({
  current_version: z.number().int().positive(),
  versions: z.record(z.string(), created).default({}),
});
const secret = z.object({
  data: z.record(z.string(), z.unknown()),
  metadata: created.extend({ version: z.number().int() }),
});

/** A secret that was deleted for good and written again counts from 1 again: the number alone would be the old one. */
const nameOf = (version: number, createdTime = ''): string => `${version} ${createdTime}`;

export class OwnSecrets {
  readonly counters = { read: 0 };
  private readonly options: OwnSecretsOptions;
  private readonly loop = new Loop(() => this.step());
  private readonly backoff: Backoff;
  private readonly versions = new Map<string, string>();
  private readonly said: ReadonlyMap<string, Said>;

  constructor(options: OwnSecretsOptions) {
    this.options = options;
    this.backoff = new Backoff(options.random);
    const texts = {
      bad: 'a secret of sealwatch cannot be read from Vault; what was read before stays in use',
      good: 'the secret of sealwatch is read from Vault',
    };
    this.said = new Map(options.refs.map(({ path }) => [path, new Said(options.logger, texts)]));
  }

  start(): void {
    if (this.options.refs.length > 0) this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Secrets that were not read yet. */
  get missing(): number {
    return this.said.size - this.versions.size;
  }

  /** Looks at each secret once; returns how many milliseconds there is nothing to do. Never throws. */
  async step(): Promise<number> {
    const { pollMs } = this.options;
    let retryMs: number | undefined;
    let isAway = false;
    for (const [path, said] of this.said) {
      const { fault, away = false, retryMs: wanted } = await this.look(path);
      // Whoever keeps the token says why there is none; at a start it is on its way.
      if (fault !== 'no_token') said.say(fault, { path });
      isAway ||= away;
      retryMs = wanted ?? retryMs;
    }
    if (isAway) return this.backoff.failed(retryMs);
    this.backoff.succeeded();
    // What was never read is wanted soon: somebody may be writing it just now.
    return this.missing > 0 ? Math.min(pollMs, limits.vaultBackoffMsMax) : pollMs;
  }

  private async look(
    path: string,
  ): Promise<{ fault?: string; away?: boolean; retryMs?: number | undefined }> {
    const { session } = this.options;
    const about = await session.read(path.replace('/data/', '/metadata/'));
    if (about.fault !== undefined)
      return { fault: about.fault, away: !isFinal(about), retryMs: about.retryMs };
    const known = metadata.safeParse(dataOf(about)).data;
    if (known === undefined) return { fault: 'no_version' };
    const { current_version: version, versions } = known;
    if (nameOf(version, versions[version]?.created_time) === this.versions.get(path)) return {};
    const answer = await session.read(path);
    if (answer.fault !== undefined)
      return { fault: answer.fault, away: !isFinal(answer), retryMs: answer.retryMs };
    return this.take(path, dataOf(answer));
  }

  private take(path: string, data: unknown): { fault?: string } {
    const found = secret.safeParse(data).data;
    if (found === undefined) return { fault: 'not_kv_version_2' };
    const values = this.options.refs
      .filter((ref) => ref.path === path)
      .map(({ ref, field }) => ({ ref, value: found.data[field] }));
    // All or none: two fields that belong together must not be of two versions.
    if (values.some(({ value }) => typeof value !== 'string' || value.trim() === ''))
      return { fault: 'field_missing_or_empty' };
    const { version, created_time } = found.metadata;
    this.versions.set(path, nameOf(version, created_time));
    this.counters.read++;
    for (const { ref, value } of values) this.options.onValue(ref, String(value).trim());
    return {};
  }
}
