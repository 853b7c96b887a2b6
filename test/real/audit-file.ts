// Reads what Vault appends to an audit file, call by call, and makes it fit to be kept in the repository.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Follows one audit file. Vault writes both lines of a call before it answers, so after an answer they are here. */
export class AuditFile {
  readonly path: string;
  #offset = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The lines since the last call. */
  take(): string[] {
    const file = openSync(this.path, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
      readSync(file, bytes, 0, bytes.length, this.#offset);
      this.#offset += bytes.length;
      return bytes.toString().split('\n').slice(0, -1);
    } finally {
      closeSync(file);
    }
  }
}

/**
 * Replaces each plain token (only `log_raw` devices show them) by an example of the same shape and length, the same
 * token always by the same example.
 */
export function tokenReplacer(): (line: string) => string {
  const examples = new Map<string, string>();
  return (line) =>
    line.replace(/\b(hv[sbr]\.|[sb]\.)([\w-]{24,})/g, (token, prefix: string, rest: string) => {
      const known = examples.get(token);
      if (known !== undefined) return known;
      const number = String(examples.size + 1).padStart(4, '0');
      const example = prefix + 'EXAMPLE'.repeat(30).slice(0, rest.length - 4) + number;
      examples.set(token, example);
      return example;
    });
}

/** The folder of one run, shown as a place an operator would choose. */
export const hideFolder = (line: string, folder: string) => line.replaceAll(folder, '/var/log/vault');
