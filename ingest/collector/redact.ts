// Takes secrets out of a suspect line: `sealwatch-hmac:` and HMAC-SHA256 under the installation's own key, so that the
// same secret is still the same value in every line (guarantee 4, decision 0010).

import { createHmac } from 'node:crypto';
import { plainKeysDefault } from '../../core/config.ts';
import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Scrub } from '../../core/raw.ts';
import type { LineFault } from '../../core/records.ts';
import { withheldLine } from '../../core/withheld.ts';
import { cutData } from './long-line.ts';

/** `hvs.` `hvb.` `hvr.` of Vault 1.10 and later, `s.` `b.` `r.` before and in OpenBao, at the begin of a word. */
const TOKEN =
  /(?:hv[sbr]|(?<![A-Za-z0-9])[sbr]|(?<=\\[bfnrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})[sbr])\.[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9]{1,10})?/g;
const HASHED = /^(?:hmac-sha256|sealwatch-hmac):[0-9a-f]{64}$/;
/** Times are no secrets; OpenBao leaves them plain in every device (vault-audit.md 2). */
const RFC3339 = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)$/;
/** What `cutData` says of data that it cut out. */
const CUT_DATA = /^\d{1,8} bytes$/;
/** Letters written as escapes, which Go does for `< > &` and control characters only. */
const HIDDEN_TEXT = /\\u00(?!26|3[ceCE])[2-9a-fA-F]/;
/** Letters, digits, `-`, `.`, `_` and the percent sign written as `%2E`. */
const HIDDEN_IN_URL = /%(?:2[dDeE5]|3\d|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])/;
/** What stands for a value that is nested deeper than `limits.nestingMax`: a caller must not be able to hide a call by depth. */
const TOO_DEEP = 'sealwatch withheld: nested too deep';
/** Members that are secret wherever they stand and whatever they look like. */
const secretKeys = new Set(['client_token', 'token', 'x-vault-token', 'http_raw_body']);
const kvTypes = new Set(['kv', 'generic', 'cubbyhole']);
/** Numbers that KV v2 itself writes. */
const versionKeys = new Set(['version', 'current_version', 'oldest_version', 'max_versions']);
/** Members of request and response that Vault hashes as a whole. */
const dataKeys = new Set(['data', 'supplemental_audit_data']);

/** Where the walk is. */
interface Place {
  /** In `data` that is shown as it is. */
  plain: boolean;
  inRequest: boolean;
  inSecret: boolean;
  depth: number;
}

/** Of one entry: whether its data is to be hidden, and what the walk saw. */
interface Walk {
  hidesData: boolean;
  /** Its data is what people store, under names of their own. */
  isKv: boolean;
  hidden: number;
  members: number;
}

export interface Redacted {
  line: Buffer;
  /** Why something secret was taken out; undefined when nothing was, also of a line that is no entry and is withheld. */
  scrub: Scrub | undefined;
}

export class Redactor {
  private readonly key: Buffer;
  private readonly plainKeys: ReadonlySet<string>;
  private current: Walk = { hidesData: false, isKv: false, hidden: 0, members: 0 };

  /** `key`: at least 32 random bytes, kept with the data. `plainKeys`: members of data that stay as they are. */
  constructor(key: Buffer, plainKeys: readonly string[] = plainKeysDefault) {
    this.key = key;
    this.plainKeys = new Set(plainKeys);
  }

  /** The line without its secrets. What it costs by length is in decision 0010. */
  redact(line: Buffer): Redacted {
    return line.length > limits.redactWalkBytesMax ? this.redactLong(line) : this.redactShort(line);
  }

  private redactShort(line: Buffer): Redacted {
    const text = line.toString('utf8');
    const clean = this.redactJson(text);
    if (clean === undefined) return this.withhold(text, line.length, reasonOf(text));
    if (clean.text === text) return { line, scrub: undefined };
    return { line: Buffer.from(clean.text, 'utf8'), scrub: clean.isRaw ? 'log_raw' : 'token_in_plain' };
  }

  /** Of a long line the data is cut out as a whole, in one pass over its bytes; what is left is short. */
  private redactLong(line: Buffer): Redacted {
    const cut = cutData(line);
    if (cut === undefined || cut.length > limits.redactWalkBytesMax)
      return this.withhold(
        line.toString('latin1', 0, limits.redactWalkBytesMax),
        line.length,
        'line_too_long',
      );
    const { line: clean, scrub } = this.redactShort(cut);
    return { line: clean, scrub: scrub ?? 'token_in_plain' };
  }

  /** Undefined when the text is not a JSON object. */
  private redactJson(text: string): { text: string; isRaw: boolean } | undefined {
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
    const tokens = tokensOf(entry);
    this.current = {
      hidesData: tokens.length === 0 || tokens.some(isPlain) || pathOf(entry).startsWith('sys/raw/'),
      isKv: kvTypes.has(mountTypeOf(entry)),
      hidden: 0,
      members: 0,
    };
    const clean = this.walk(entry, { plain: false, inRequest: false, inSecret: false, depth: 0 });
    const isRaw = tokens.length === 0 ? this.hashesNothing(entry) : tokens.every(isPlain);
    // What the parser does not show, a prefix or the first of two members of one name, is searched as text.
    const { hidden, members } = this.current;
    if (hidden === 0 && members === membersIn(text) && !HIDDEN_TEXT.test(text))
      return { text: this.hideTokens(text), isRaw: false };
    return { text: this.hideTokens(text.slice(0, open)) + JSON.stringify(clean), isRaw };
  }

  /** A suspect line that cannot become an event is not kept: its reject says why, and how long it was. */
  private withhold(text: string, bytes: number, reason: LineFault): Redacted {
    const scrub = showsSecret(text) ? 'token_in_plain' : undefined;
    return { line: withheldLine(reason, bytes, this.hide(text)), scrub };
  }

  /** The value without its secrets, cut at `limits.nestingMax`. */
  private walk(value: Json, at: Place, key = ''): Json {
    if (typeof value === 'string') return this.counted(value, this.cleanString(value, key, at));
    if (typeof value === 'number' && (at.inSecret || (at.plain && this.isSecretNumber(at, key))))
      return this.counted(value, this.hide(String(value)));
    if (typeof value !== 'object' || value === null) return value;
    if (at.depth > limits.nestingMax) return this.counted(value, TOO_DEEP);
    if (!Array.isArray(value)) return this.walkObject(value, at);
    return value.map((item) => this.walk(item, { ...at, depth: at.depth + 1 }, key));
  }

  private walkObject(value: JsonObject, at: Place): Json {
    const entries: [string, Json][] = [];
    for (const [name, member] of Object.entries(value)) {
      this.current.members++;
      const clean = this.walk(member, this.inMember(at, name), name);
      entries.push([this.counted(name, this.hideTokensIn(name)), clean]);
    }
    return Object.fromEntries(entries);
  }

  private inMember(at: Place, name: string): Place {
    return {
      depth: at.depth + 1,
      inRequest: at.depth === 0 ? name === 'request' : at.inRequest,
      plain: at.plain || (at.depth === 1 && dataKeys.has(name) && this.current.hidesData),
      inSecret: at.inSecret || secretKeys.has(name),
    };
  }

  private counted<T extends Json>(before: Json, after: T): T {
    if (before !== after) this.current.hidden++;
    return after;
  }

  private cleanString(value: string, key: string, at: Place): string {
    if (value === '' || HASHED.test(value)) return value;
    if (at.inSecret || (at.plain && this.isSecretInData(value, key))) return this.hide(value);
    return this.hideTokensIn(value);
  }

  /** Vault hashes the numbers of a request (vault-audit.md 2), and those of a KV secret, which came by one; a PIN is such. */
  private isSecretNumber({ inRequest }: Place, key: string): boolean {
    if (this.current.isKv) return !versionKeys.has(key);
    return inRequest && !this.plainKeys.has(key);
  }

  /** Members of a KV secret have any names. */
  private isSecretInData = (value: string, key: string): boolean =>
    (this.current.isKv || !this.plainKeys.has(key)) && !RFC3339.test(value) && !CUT_DATA.test(value);

  /** Whether the data of an open call shows a text that is not a hash, and none that is: its device hashes nothing. */
  private hashesNothing(entry: JsonObject): boolean {
    let plain = 0;
    let hashed = 0;
    const look = (value: Json | undefined, key: string, depth = 0): void => {
      if (depth > limits.nestingMax) return;
      if (typeof value === 'string') {
        if (value.startsWith('hmac-sha256:')) hashed++;
        else if (value !== '' && this.isSecretInData(value, key)) plain++;
      } else if (typeof value === 'object' && value !== null)
        for (const [name, member] of Object.entries(value))
          look(member, Array.isArray(value) ? key : name, depth + 1);
    };
    for (const part of [entry['request'], entry['response']])
      if (isObject(part)) for (const name of dataKeys) look(part[name], name);
    return plain > 0 && hashed === 0;
  }

  /** Of one text: escapes inside it, as of JSON in JSON or of a URL, hide it as a whole when a token stands behind them. */
  private hideTokensIn(text: string): string {
    const clean = this.hideTokens(text);
    if (!HIDDEN_TEXT.test(clean) && !HIDDEN_IN_URL.test(clean)) return clean;
    const bare = unescaped(clean);
    return this.hideTokens(bare) === bare ? clean : this.hide(text);
  }

  private hideTokens(text: string): string {
    return text.replace(TOKEN, (token) => this.hide(token));
  }

  private hide(secret: string): string {
    return `sealwatch-hmac:${createHmac('sha256', this.key).update(secret).digest('hex')}`;
  }
}

/** Layers of escapes that are undone: each makes a token three times as long. */
const LAYERS = 3;

function unescaped(text: string): string {
  let bare = text;
  for (let layer = 0; layer < LAYERS; layer++)
    bare = bare.replace(/(?:%|\\{1,8}u00)([0-9a-fA-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  return bare;
}

/** Why a line is no entry: what stands first tells. */
function reasonOf(text: string): LineFault {
  if (text.startsWith('<')) return 'jsonx';
  return text.startsWith('[') ? 'not_object' : 'not_json';
}

const PLAIN_CLIENT_TOKEN = /client_token"?(?!:"hmac-sha256:)/;

/** Whether a text that is no entry shows something secret by its shape. */
const showsSecret = (text: string): boolean =>
  new RegExp(TOKEN).test(text) || PLAIN_CLIENT_TOKEN.test(text) || HIDDEN_TEXT.test(text);

/** How many members the objects in the JSON `text` have: of two that have one name, the parser shows one. */
function membersIn(text: string): number {
  let members = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) members++;
  return members;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What every device hashes that hashes at all (vault-audit.md 2). */
function tokensOf(entry: JsonObject): string[] {
  const response = isObject(entry['response']) ? entry['response'] : {};
  const wrap = isObject(response['wrap_info']) ? response['wrap_info'] : {};
  const holders = [entry['auth'], entry['request'], response['auth']];
  const tokens = holders.map((part) => (isObject(part) ? part['client_token'] : undefined));
  return [...tokens, wrap['token']].filter((token) => typeof token === 'string' && token !== '') as string[];
}

function mountTypeOf(entry: JsonObject): string {
  for (const part of [entry['request'], entry['response']]) {
    const type = isObject(part) ? part['mount_type'] : undefined;
    if (typeof type === 'string') return type;
  }
  return '';
}

const isPlain = (token: string): boolean => !HASHED.test(token);

function pathOf(entry: JsonObject): string {
  const path = isObject(entry['request']) ? entry['request']['path'] : undefined;
  return typeof path === 'string' ? path : '';
}
