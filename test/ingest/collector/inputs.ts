// One input of the configuration, open on a free port, with a spool in memory behind it; and senders to it.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { vi } from 'vitest';
import { deviceSchema } from '../../../core/devices.ts';
import type { Loss } from '../../../core/records.ts';
import { Commits } from '../../../ingest/collector/commits.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { listen } from '../../../ingest/collector/listeners.ts';
import type { Listener } from '../../../ingest/collector/listening.ts';
import { PartialBudget } from '../../../ingest/collector/partial.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { MemorySpool } from './spool.ts';

export class OpenInput implements AsyncDisposable {
  readonly spool = new MemorySpool(1);
  readonly intake = new Intake(this.spool, new Redactor(Buffer.alloc(32, 1)));
  readonly budget = new PartialBudget();
  /** What the disk does when a commit is asked for; a test may hold it back. */
  commit = () => this.commits.begin()(true);
  readonly commits = new Commits(() => queueMicrotask(() => this.commit()));
  listener: Listener | undefined;

  /** Opens `input`, written as in the configuration; its port is a free one. */
  static async open(input: Record<string, unknown>): Promise<OpenInput> {
    const made = new OpenInput();
    const { intake, budget, commits } = made;
    const parsed = deviceSchema.parse({ device: 'd', port: 0, ...input });
    made.listener = await listen({ intake, budget, commits, now: Date.now }, parsed);
    return made;
  }

  get port(): number {
    return this.listener?.port ?? 0;
  }

  get lines(): string[] {
    return this.spool.lines().map(({ text }) => text);
  }

  get nodes(): (string | undefined)[] {
    return this.spool.lines().map(({ head }) => head.node);
  }

  /** How often `reason` was counted until now. */
  count(reason: Loss['reason']): number {
    this.intake.tick(Date.now());
    const losses = this.spool.losses().filter((loss) => loss.reason === reason);
    return losses.reduce((sum, { count }) => sum + count, 0);
  }

  async dial(): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener?.[Symbol.asyncDispose]();
  }
}

/** A file of the test certificates (test/fixtures/tls). */
export const certificate = (name: string) => resolve(`test/fixtures/tls/${name}`);

/** TLS of a listener that asks its senders for a certificate. */
export const mutual = {
  certFile: certificate('listener.crt'),
  keyFile: certificate('listener.key'),
  caFile: certificate('ca.crt'),
};

export const until = (check: () => Promise<void> | void) =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 });
