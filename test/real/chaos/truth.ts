// What the chaos plays: ordinary life of a Vault with an attack now and then, all of it lines of a real Vault with request ids,
// people and addresses of their own, so that everybody knows afterwards what must have been found.

import { lineMaker } from '../../bench/input.ts';
import { copyOfSample, writtenAt } from '../../e2e/vault-devices.ts';

const SAMPLE = 'deploy/sample/audit.jsonl';
/** Lines from the begin of one copy of the sample, with its attacks, to the next. */
const LINES_A_COPY = 1_500;
/** A copy has a /24 of addresses of its own. */
const COPIES_MAX = 250;
/** Every so many lines one is of a copy. */
const SHARE = 3;

export class Truth {
  private readonly ordinary = lineMaker(SAMPLE);
  private waiting: string[] = [];
  private ordinaryLines = 0;
  /** Copies of the sample that have begun. */
  copies = 0;
  /** Lines made. */
  lines = 0;
  /** No call waits for its other half, no copy for its end. */
  isWhole = true;

  /** The next line, as if Vault wrote it at `ms`. */
  next(ms: number): string {
    const n = this.lines++;
    if (n % LINES_A_COPY === 0 && this.copies < COPIES_MAX) this.waiting.push(...copyOfSample(this.copies++));
    const text = n % SHARE === 0 ? this.waiting.shift() : undefined;
    const line = writtenAt(text ?? this.ordinary(this.ordinaryLines++, ms), ms, n);
    if (text === undefined) this.isWhole = this.waiting.length === 0 && line.includes('"type":"response"');
    return line;
  }
}
