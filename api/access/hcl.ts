// HCL 1 and its JSON form as a tree. No package fits: those of npm are HCL 2, or Go compiled to megabytes (decision 0022).

import { limits } from '../../core/limits.ts';
import { HclFault, type Mark, type Token, Tokens } from './hcl-tokens.ts';

export type Value = string | boolean | Value[] | Block;
export interface Block {
  items: Item[];
}
/** `path "x" { ... }` has the keys `path` and `x`. Numbers are kept as they are written. */
export interface Item {
  keys: string[];
  value: Value;
}

export const isBlock = (value: Value): value is Block => typeof value === 'object' && !Array.isArray(value);

/** The tree of a policy's text, or why there is none. Text that begins with a brace is JSON, as Vault takes it. */
export function parseHcl(text: string): { block: Block } | { fault: string } {
  if (text.length > limits.policyCharsMax)
    return { fault: `longer than ${limits.policyCharsMax} characters` };
  if (text.includes('\0')) return { fault: 'a NUL character' };
  const json = /^\s*\{/.test(text);
  try {
    return { block: new Parser(text.replaceAll('\r\n', '\n'), json).whole() };
  } catch (error) {
    if (error instanceof HclFault) return { fault: error.message };
    throw error;
  }
}

class Parser {
  private readonly tokens: Tokens;
  private readonly json: boolean;
  private token: Token;
  private depth = 0;

  constructor(text: string, json: boolean) {
    this.tokens = new Tokens(text, json);
    this.json = json;
    this.token = this.tokens.next();
  }

  whole(): Block {
    if (!this.json) return { items: this.items('end') };
    const block = this.block();
    if (this.token.kind !== 'end') throw this.unexpected();
    return { items: block.items.flatMap(flat) };
  }

  /** Members up to a closing brace or the end of the text. */
  private items(until: '}' | 'end'): Item[] {
    const items: Item[] = [];
    const assigned = new Set<string>();
    while (!(until === 'end' ? this.token.kind === 'end' : this.isMark('}'))) {
      const keys = this.keys();
      const isAssigned = this.isMark('=');
      if (isAssigned || this.isMark(':')) this.advance();
      else if (this.json || !this.isMark('{')) throw this.unexpected();
      if (isAssigned) {
        // Vault refuses this since 1.21; what an older one makes of it depends on its version.
        if (keys.length > 1) throw this.unexpected();
        if (assigned.has(keys[0] as string)) throw this.tokens.fault(`${keys[0]} is set twice`);
        assigned.add(keys[0] as string);
      }
      items.push({ keys, value: this.value() });
      if (this.isMark(',')) this.advance();
      else if (this.json && !this.isMark('}')) throw this.unexpected();
    }
    return items;
  }

  private keys(): string[] {
    const keys: string[] = [];
    while (this.token.kind === 'string' || (this.token.kind === 'word' && !this.json)) {
      keys.push(this.token.text);
      this.advance();
      if (this.json) break;
    }
    if (keys.length === 0) throw this.unexpected();
    return keys;
  }

  private value(): Value {
    const { token } = this;
    if (token.kind === 'mark' && token.mark === '{') return this.block();
    if (token.kind === 'mark' && token.mark === '[') return this.list();
    if (token.kind === 'word') return this.constant(token.text);
    if (token.kind === 'mark' || token.kind === 'end') throw this.unexpected();
    this.advance();
    return token.text;
  }

  /** `null` is JSON's only, and nothing. */
  private constant(word: string): Value {
    if (word !== 'true' && word !== 'false' && !(this.json && word === 'null')) throw this.unexpected();
    this.advance();
    return word === 'null' ? '' : word === 'true';
  }

  private block(): Block {
    this.enter('{');
    const items = this.items('}');
    this.leave('}');
    return { items };
  }

  private list(): Value[] {
    this.enter('[');
    const values: Value[] = [];
    while (!this.isMark(']')) {
      // Vault passes over commas without anything between them, and has no null in lists.
      if (this.isMark(',')) this.advance();
      else {
        if (this.token.kind === 'word' && this.token.text === 'null') throw this.unexpected();
        values.push(this.value());
        if (!this.isMark(',') && !this.isMark(']')) throw this.unexpected();
      }
    }
    this.leave(']');
    return values;
  }

  private enter(mark: Mark): void {
    if (!this.isMark(mark)) throw this.unexpected();
    if (++this.depth > limits.nestingMax) throw this.tokens.fault(`nested deeper than ${limits.nestingMax}`);
    this.advance();
  }

  private leave(mark: Mark): void {
    if (!this.isMark(mark)) throw this.unexpected();
    this.depth--;
    this.advance();
  }

  private isMark(mark: Mark): boolean {
    return this.token.kind === 'mark' && this.token.mark === mark;
  }

  private advance(): void {
    this.token = this.tokens.next();
  }

  private unexpected(): HclFault {
    const { token } = this;
    const what = token.kind === 'mark' ? token.mark : token.kind;
    return new HclFault(`line ${token.line}: ${what} is not expected here`);
  }
}

/** `{"path": {"x": {...}}}` as `path "x" {...}`: an object whose members are all objects lends them its key, as in Vault. */
function flat(item: Item): Item[] {
  const { keys, value } = item;
  if (isBlock(value) && value.items.length > 0 && value.items.every((inner) => isBlock(inner.value)))
    return value.items.flatMap((inner) => flat({ keys: [...keys, ...inner.keys], value: inner.value }));
  if (Array.isArray(value) && value.length > 0 && value.every(isBlock))
    return value.flatMap((inner) => flat({ keys, value: inner }));
  return [item];
}
