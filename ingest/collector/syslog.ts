// Takes Vault's line out of a syslog message, and messages out of a stream: RFC 3164 and 5424 headers, both framings of RFC 6587.

import { Framer, type FrameSink, type Framing, type MakeFraming } from './framer.ts';
import type { Budget } from './partial.ts';

const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const ZERO = 48;
const NINE = 57;
const LESS = 60;
const GREATER = 62;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const NUL = 0;

/** `<191>` is the highest priority. */
const PRIORITY_BYTES_MAX = 5;
/** Behind the priority of RFC 5424: version, time, host, application, process and message id. */
const FIELDS_5424 = 6;

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= ZERO && byte <= NINE;

/**
 * The audit line in the syslog message `bytes[from, to)`, as Vault wrote it, so that its hash is that of the file device's
 * line: from the first `{` behind the header to the last byte that is no line end. What has no header or no `{` stays whole
 * and is rejected by its name later.
 */
export function lineOfMessage(bytes: Buffer, from: number, to: number): { from: number; to: number } {
  let end = to;
  while (end > from && (bytes[end - 1] === NEWLINE || bytes[end - 1] === NUL)) end--;
  const start = bytes.indexOf(OPEN_BRACE, endOfHeader(bytes, from, end));
  return { from: start < 0 || start >= end || bytes[from] !== LESS ? from : start, to: end };
}

/** Where the message may begin: RFC 3164 has nothing in its header that could be a `{`, the structured data of RFC 5424 has. */
function endOfHeader(bytes: Buffer, from: number, to: number): number {
  const priority = bytes.subarray(from, Math.min(to, from + PRIORITY_BYTES_MAX)).indexOf(GREATER);
  if (priority < 0) return from;
  let at = from + priority + 1;
  // A year or a month stands here in RFC 3164, a version and a space in RFC 5424.
  if (!isDigit(bytes[at]) || bytes[at + 1] !== SPACE) return at;
  for (let field = 0; field < FIELDS_5424; field++) {
    const space = bytes.indexOf(SPACE, at);
    if (space < 0 || space >= to) return at;
    at = space + 1;
  }
  return bytes[at] === OPEN_BRACKET ? endOfStructured(bytes, at, to) : at;
}

/** `[id name="value"][...]`: in a value `"`, `\` and `]` stand behind a `\`. */
function endOfStructured(bytes: Buffer, from: number, to: number): number {
  let isQuoted = false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH && isQuoted) at++;
    else if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === CLOSE_BRACKET && !isQuoted && bytes[at + 1] !== OPEN_BRACKET) return at + 1;
  }
  return from;
}

/** Hands on the audit line of each syslog message; a line without a header is handed on as it is. */
export const syslogSink = (sink: FrameSink): FrameSink => ({
  line: (bytes, from, to) => {
    const line = lineOfMessage(bytes, from, to);
    if (line.to > line.from) sink.line(bytes, line.from, line.to);
  },
  lost: (reason, bytes) => sink.lost(reason, bytes),
});

/** Digits of an octet count; a longer number is no count. A count past the longest line is given up by the framer. */
const COUNT_DIGITS_MAX = 9;
const newline = Buffer.of(NEWLINE);

/**
 * The messages of a stream, each told by its first byte: a digit begins an octet count, all else ends at its newline. An
 * octet-counted message may have a newline of its own at its end.
 */
class SyslogFraming implements Framing {
  private readonly lines: Framer;
  /** Digits of a count that is not all there. */
  private digits = '';
  /** Bytes that are left of a counted message. */
  private left = 0;
  private isInLine = false;

  constructor(sink: FrameSink, budget: Budget) {
    this.lines = new Framer(syslogSink(sink), budget);
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.left > 0) at = this.takeCounted(chunk, at);
      else if (this.isInLine) at = this.takeLines(chunk, at);
      else at = this.takeCount(chunk, at);
    }
  }

  private takeCounted(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.left);
    this.lines.push(chunk.subarray(from, to));
    this.left -= to - from;
    if (this.left === 0) this.lines.push(newline);
    return to;
  }

  /** As many whole lines as follow each other, so that they are found in one search. */
  private takeLines(chunk: Buffer, from: number): number {
    let to = from;
    do {
      const end = chunk.indexOf(NEWLINE, to);
      this.isInLine = end < 0;
      to = end < 0 ? chunk.length : end + 1;
    } while (chunk[to] === LESS);
    this.lines.push(chunk.subarray(from, to));
    return to;
  }

  private takeCount(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (isDigit(byte) && this.digits.length < COUNT_DIGITS_MAX) {
      this.digits += String.fromCharCode(byte);
      return at + 1;
    }
    const { digits } = this;
    this.digits = '';
    if (byte === SPACE && digits !== '') {
      this.left = Number(digits);
      return at + 1;
    }
    this.lines.push(Buffer.from(digits, 'latin1'));
    this.isInLine = true;
    return at;
  }

  /** Of a counted message the end is missing; of a line its newline may only have been left out. */
  end(): void {
    this.lines.end();
  }
}

/** Framing of a syslog connection. */
export const syslogFraming: MakeFraming = (sink, budget) => new SyslogFraming(sink, budget);
