// What cannot be done now and is tried again.

import type { Logger } from '../../core/telemetry.ts';

export class Failing {
  private readonly logger: Logger;
  private readonly parts = new Set<string>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** Said at the first time only: a disk may stay full for hours. */
  fails(part: string, words: string, error: unknown): void {
    if (!this.parts.has(part)) this.logger.error({ error: String(error) }, `${words}; trying again`);
    this.parts.add(part);
  }

  mended(part: string): void {
    this.parts.delete(part);
  }

  /** 1 while any part whose name begins so fails. */
  gauge(prefix: string): 0 | 1 {
    return [...this.parts].some((part) => part.startsWith(prefix)) ? 1 : 0;
  }
}
