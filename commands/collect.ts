// `sealwatch collect --drain`: accepts what Vault writes and throws it away, to get a Vault going again that waits for its
// socket device.

import { once } from 'node:events';
import { type Config, inputsOf } from '../core/config.ts';
import { SealwatchError } from '../core/errors.ts';
import { Intake } from '../ingest/collector/intake.ts';
import { listen } from '../ingest/collector/listeners.ts';
import { PartialBudget } from '../ingest/collector/partial.ts';
import { Redactor } from '../ingest/collector/redact.ts';

/** Takes every line, counts its bytes, and keeps nothing. */
class Discard extends Intake {
  bytes = 0;

  constructor() {
    super({ append() {}, partitions: 1 }, new Redactor(Buffer.alloc(32)));
  }

  override line(...[, , from, to]: Parameters<Intake['line']>): boolean {
    this.bytes += to - from + 1;
    return true;
  }

  override lost(...[, , bytes]: Parameters<Intake['lost']>): void {
    this.bytes += bytes;
  }
}

/** Drains every input that Vault sends to, until SIGINT or SIGTERM. Nothing is stored. Throws what opening them throws. */
export async function drain(config: Config): Promise<number> {
  const intake = new Discard();
  const commits = { within: () => Promise.resolve(true) };
  const options = { intake, budget: new PartialBudget(), now: Date.now, commits };
  let open = 0;
  for (const input of inputsOf(config)) {
    const listener = await listen(options, input);
    if (listener === undefined) continue;
    open++;
    process.stdout.write(
      `draining ${listener.device} on ${listener.address}: everything is accepted, NOTHING IS KEPT\n`,
    );
  }
  if (open === 0)
    throw new SealwatchError(
      'USAGE',
      'no socket is configured',
      'Set SEALWATCH_TCP_ENABLED=true or SEALWATCH_UNIX_PATH, or list one under `devices`.',
    );
  const showing = setInterval(
    () => process.stdout.write(`thrown away so far: ${intake.bytes} bytes\n`),
    10_000,
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(showing);
  process.stdout.write(`thrown away: ${intake.bytes} bytes\n`);
  process.exit(0);
}
