// Says what is wrong once per cause, and once when it is over: a Vault that is away is asked again and again.

import type { Logger } from '../core/telemetry.ts';

export class Said {
  private readonly logger: Logger;
  private readonly bad: string;
  private readonly good: string;
  private fault: string | undefined;

  constructor(logger: Logger, { bad, good }: { bad: string; good: string }) {
    this.logger = logger;
    this.bad = bad;
    this.good = good;
  }

  /** `fault` is a reason code, never a message; undefined when all is well. */
  say(fault: string | undefined, fields: object = {}): void {
    if (fault === this.fault) return;
    this.fault = fault;
    if (fault === undefined) this.logger.info(fields, this.good);
    else this.logger.warn({ ...fields, fault }, this.bad);
  }
}
