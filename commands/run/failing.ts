// What cannot be done now and is tried again.

import { SealwatchError } from '../../core/errors.ts';
import type { Logger } from '../../core/telemetry.ts';

export class Failing {
  private readonly logger: Logger;
  /** What was said of each part that fails. */
  private readonly parts = new Map<string, string>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** Said at the first time only: a disk may stay full for hours. */
  fails(part: string, words: string, error: unknown): void {
    if (this.parts.has(part)) return;
    this.parts.set(part, words);
    const told = error instanceof SealwatchError ? error.line : String(error);
    this.logger.error({ error: told }, `${words}; trying again`);
  }

  mended(part: string): void {
    const words = this.parts.get(part);
    if (!this.parts.delete(part)) return;
    this.logger.info({ was: words }, 'goes on');
  }

  /** 1 while any part whose name begins so fails. */
  gauge(prefix: string): 0 | 1 {
    return [...this.parts.keys()].some((part) => part.startsWith(prefix)) ? 1 : 0;
  }
}
