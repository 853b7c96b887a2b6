// The bearer tokens of an HTTP device: from a file, read again when it changes, compared in constant time.

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

export class Tokens implements Disposable {
  private readonly path: string;
  private digests: Buffer[];
  private readonly onChange: () => void;

  /** Reads the file at `path`: a token a line, so that an old and a new one can be valid at a time. Throws CONFIG_INVALID. */
  constructor(path: string, device: string) {
    this.path = path;
    this.digests = digestsOf(readOrSay(path, device));
    if (this.digests.length === 0)
      throw unusable(`${path} holds no token of ${CHARS_MIN} characters`, device);
    this.onChange = () => {
      // A file that is being replaced may be away or empty for a moment: the tokens that were read last stay.
      readFile(path, 'utf8').then(
        (text) => this.replace(digestsOf(text)),
        () => {},
      );
    };
    // Looked at beside the collector's thread: a file system that hangs must not hold up a Vault.
    watchFile(path, { interval: limits.secretPollMs, persistent: false }, this.onChange);
  }

  /** Whether the header is `Bearer` and one of the tokens. */
  matches(authorization: string | undefined): boolean {
    const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (shown === undefined) return false;
    const digest = digestOf(shown);
    // Each is compared, so that the time says nothing about which one it is.
    return this.digests.filter((known) => timingSafeEqual(known, digest)).length > 0;
  }

  [Symbol.dispose](): void {
    unwatchFile(this.path, this.onChange);
  }

  private replace(digests: Buffer[]): void {
    if (digests.length > 0) this.digests = digests;
  }
}

/** Hashes have one length, and only they are kept. */
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

const digestsOf = (text: string): Buffer[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= CHARS_MIN)
    .slice(0, limits.httpTokensMax)
    .map(digestOf);

function readOrSay(path: string, device: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`${path} cannot be read (${systemCode(error) ?? String(error)})`, device, error);
  }
}

const unusable = (message: string, device: string, cause?: unknown) =>
  new SealwatchError(
    'CONFIG_INVALID',
    `tokenFile of the audit device ${device}: ${message}`,
    `It must hold a bearer token of at least ${CHARS_MIN} characters, readable by the user of sealwatch: openssl rand -hex 32`,
    { cause },
  );

const CHARS_MIN = 32;
