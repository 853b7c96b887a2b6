// Takes secrets out of a suspect line: `sealwatch-hmac:` and HMAC-SHA256 under the installation's own key, so that the
// same secret is still the same value in every line (guarantee 4).

import { createHmac } from 'node:crypto';
import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Scrub } from '../../core/raw.ts';

/** Vault's own tokens: `hvs.` `hvb.` `hvr.` of 1.10 and later, `s.` `b.` before and in OpenBao. */
const TOKEN =
  /(?:hv[sbr]\.[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9]{1,10})?|(?<![A-Za-z0-9])[sb]\.[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9]{1,10})?)/g;
const HASHED = /^(?:hmac-sha256|sealwatch-hmac):[0-9a-f]{64}$/;
/** Times are no secrets; OpenBao leaves them plain in every device (vault-audit.md 2). */
const RFC3339 = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)$/;
/** Keys that operators tune to be plain on purpose (vault-audit.md 4, Setup), and names that hide nothing. */
const plainKeys = new Set([
  'accessor',
  'secret_id_accessor',
  'lease_id',
  'role',
  'role_name',
  'type',
  'prefix',
  'path',
]);
/** Letters written as escapes, which Go does for `< > &` and control characters only. */
const HIDDEN_TEXT = /\\u00(?!26|3[ceCE])[2-9a-fA-F]/;
/** What a line begins with that was not kept. */
const WITHHELD = 'sealwatch withheld a line:';
const secretKeys = new Set(['client_token', 'token']);

/** Where the walk is: whether the device hashes nothing, inside `data` or not, how deep, and how much it has hidden. */
interface Place {
  raw: boolean;
  inData: boolean;
  inRequest: boolean;
  depth: number;
  hidden: { count: number };
}

export class Redactor {
  private readonly key: Buffer;

  /** `key`: at least 32 random bytes, kept with the data. */
  constructor(key: Buffer) {
    this.key = key;
  }

  /** The line without its secrets, and why anything was taken out; undefined when nothing was. */
  redact(line: Buffer): { line: Buffer; scrub: Scrub | undefined } {
    const text = line.toString('utf8');
    this.raw = false;
    const clean = isLongAndHashed(text)
      ? this.hideTokens(text)
      : (this.redactJson(text) ?? this.withhold(text));
    if (clean === text) return { line, scrub: undefined };
    return { line: Buffer.from(clean, 'utf8'), scrub: this.raw ? 'log_raw' : 'token_in_plain' };
  }

  /** The entry that is being redacted comes from a device that hashes nothing. */
  private raw = false;

  /** Undefined when the text is not a JSON object that can be walked. */
  private redactJson(text: string): string | undefined {
    const open = text.indexOf('{');
    let entry: JsonObject;
    try {
      const parsed: unknown = JSON.parse(text.slice(open));
      if (open < 0 || !isObject(parsed)) return undefined;
      entry = parsed;
    } catch {
      // Not JSON: nobody can tell what in it is secret.
      return undefined;
    }
    const hidden = { count: 0 };
    this.raw = isRaw(entry);
    const clean = this.walk(entry, { raw: this.raw, inData: false, inRequest: false, depth: 0, hidden });
    if (clean === undefined) return undefined;
    // What the parser does not show, a prefix or the first of two members of one name, is searched as text.
    if (hidden.count === 0 && !HIDDEN_TEXT.test(text)) return this.hideTokens(text);
    return this.hideTokens(text.slice(0, open)) + JSON.stringify(clean);
  }

  /** A suspect line that cannot become an event is not kept: its reject says why, and how long it was. */
  private withhold(text: string): string {
    return `${WITHHELD} ${text.length} characters, ${this.hide(text)}`;
  }

  /** Undefined when the value is nested deeper than `limits.nestingMax`. */
  private walk(value: Json, at: Place, key = ''): Json | undefined {
    if (typeof value === 'string') {
      const clean = this.cleanString(value, key, at.raw && at.inData);
      if (clean !== value) at.hidden.count++;
      return clean;
    }
    if (typeof value === 'number' && at.raw && at.inData && at.inRequest) {
      // Vault hashes the numbers of a request as well (vault-audit.md 2); a PIN is one.
      at.hidden.count++;
      return this.hide(String(value));
    }
    if (typeof value !== 'object' || value === null) return value;
    if (at.depth > limits.nestingMax) return undefined;
    const deeper = { ...at, depth: at.depth + 1 };
    if (Array.isArray(value)) {
      const list: Json[] = [];
      for (const item of value) {
        const clean = this.walk(item, deeper, key);
        if (clean === undefined) return undefined;
        list.push(clean);
      }
      return list;
    }
    return this.walkObject(value, deeper);
  }

  private walkObject(value: JsonObject, at: Place): Json | undefined {
    const entries: [string, Json][] = [];
    for (const [name, member] of Object.entries(value)) {
      const clean = this.walk(member, inMember(at, name), name);
      if (clean === undefined) return undefined;
      const cleanName = this.hideTokens(name);
      if (cleanName !== name) at.hidden.count++;
      entries.push([cleanName, clean]);
    }
    return Object.fromEntries(entries);
  }

  private cleanString(value: string, key: string, rawData: boolean): string {
    if (value === '' || HASHED.test(value)) return value;
    if (secretKeys.has(key) || (rawData && !plainKeys.has(key) && !RFC3339.test(value)))
      return this.hide(value);
    return this.hideTokens(value);
  }

  private hideTokens(text: string): string {
    return text.replace(TOKEN, (token) => this.hide(token));
  }

  private hide(secret: string): string {
    return `sealwatch-hmac:${createHmac('sha256', this.key).update(secret).digest('hex')}`;
  }
}

function inMember(at: Place, name: string): Place {
  if (at.depth === 1) return { ...at, inRequest: name === 'request' };
  return at.depth === 2 && name === 'data' ? { ...at, inData: true } : at;
}

/**
 * A long line of a device that hashes can only hold a token in what stays plain: a search finds it, and walking tens of
 * megabytes would hold up the sockets.
 */
function isLongAndHashed(text: string): boolean {
  if (text.length < limits.redactWalkCharsMax || HIDDEN_TEXT.test(text)) return false;
  return text.includes('client_token"') && !PLAIN_CLIENT_TOKEN.test(text);
}

const PLAIN_CLIENT_TOKEN = /client_token"(?!:"hmac-sha256:)/;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the device that wrote the entry shows values as they are: a plain client token, or plain data in an open call. */
function isRaw(entry: JsonObject): boolean {
  const tokens: Json[] = [];
  for (const part of [
    entry['auth'],
    entry['request'],
    isObject(entry['response']) ? entry['response']['auth'] : undefined,
  ]) {
    if (isObject(part) && typeof part['client_token'] === 'string') tokens.push(part['client_token']);
  }
  return (
    tokens.length === 0 ||
    tokens.some((token) => typeof token === 'string' && token !== '' && !HASHED.test(token))
  );
}
