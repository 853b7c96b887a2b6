// The words of HCL 1 and of its JSON form, as Vault's own scanner splits a policy. Whoever may write policies writes our input.

/** Why a text could not be read, with its line. Thrown inside the reader of policies only; `parseHcl` makes a value of it. */
export class HclFault extends Error {}

export type Mark = '{' | '}' | '[' | ']' | ',' | '=' | ':';
export type Token =
  | { kind: 'mark'; mark: Mark; line: number }
  | { kind: 'word' | 'string' | 'heredoc'; text: string; line: number }
  | { kind: 'number'; text: string; line: number }
  | { kind: 'end'; line: number };

const SPACE = /[ \t\r\n]+/y;
const COMMENT = /#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const NUMBER = /-?(?:0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d*)?|\.\d+)/y;
const HEREDOC = /<<(-?)([\p{L}\p{Nd}_]+)\n/uy;
const ESCAPE = /\\(?:([abfnrtv\\"])|([0-7]{3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y;
const plainEscapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** One token after the other; each character is looked at a bounded number of times. */
export class Tokens {
  private at = 0;
  private line = 1;
  private readonly text: string;
  private readonly json: boolean;

  constructor(text: string, json: boolean) {
    this.text = text;
    this.json = json;
  }

  next(): Token {
    this.skip();
    const { line } = this;
    const char = this.text[this.at];
    if (char === undefined) return { kind: 'end', line };
    if (char === '"') return { kind: 'string', text: this.string(), line };
    if ((this.json ? '{}[],:' : '{}[],=').includes(char)) {
      this.at++;
      return { kind: 'mark', mark: char as Mark, line };
    }
    if (char === '<' && !this.json) return { kind: 'heredoc', text: this.heredoc(), line };
    const number = this.take(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number, line };
    const word = this.take(WORD);
    if (word !== undefined) return { kind: 'word', text: word, line };
    throw this.fault('a character that has no meaning here');
  }

  fault(what: string): HclFault {
    return new HclFault(`line ${this.line}: ${what}`);
  }

  private skip(): void {
    while (this.take(SPACE) !== undefined || (!this.json && this.take(COMMENT) !== undefined));
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.advance(found.length);
    return found;
  }

  private advance(length: number): void {
    for (let i = this.at; i < this.at + length; i++) if (this.text[i] === '\n') this.line++;
    this.at += length;
  }

  /** A quoted text with its escapes undone; what stands in `${...}` stays as it is, quotes among it (not in JSON). */
  private string(): string {
    let value = '';
    this.at++;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || char === '\n') throw this.fault('a text that does not end');
      if (char === '"') break;
      if (char === '\\') value += this.escape();
      else if (!this.json && char === '$' && this.text[this.at + 1] === '{') value += this.interpolation();
      else {
        value += char;
        this.at++;
      }
    }
    this.at++;
    return value;
  }

  private escape(): string {
    ESCAPE.lastIndex = this.at;
    const match = ESCAPE.exec(this.text);
    if (match === null) throw this.fault('an escape that Vault does not know');
    this.at += match[0].length;
    const [, plain, octal, hex, short, long] = match;
    if (plain !== undefined) return plainEscapes[plain] ?? plain;
    const code =
      octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
    // A byte of its own above ASCII, and half a surrogate, make text that is not UTF-8: nobody means that.
    const isByte = octal !== undefined || hex !== undefined;
    if ((isByte && code > 127) || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      throw this.fault('an escape that is no character');
    return String.fromCodePoint(code);
  }

  private interpolation(): string {
    const start = this.at;
    let braces = 0;
    for (let i = start + 1; i < this.text.length; i++) {
      if (this.text[i] === '{') braces++;
      else if (this.text[i] === '}' && --braces === 0) {
        this.advance(i + 1 - start);
        return this.text.slice(start, i + 1);
      }
    }
    throw this.fault('a text that does not end');
  }

  private heredoc(): string {
    HEREDOC.lastIndex = this.at;
    const [opening = '', dash = '', name] = HEREDOC.exec(this.text) ?? [];
    if (name === undefined) throw this.fault('a heredoc without a name');
    let from = this.at + opening.length;
    const lines: string[] = [];
    for (;;) {
      const end = this.text.indexOf('\n', from);
      // Vault wants a line end behind the closing name.
      if (end === -1) throw this.fault('a heredoc that does not end');
      const line = this.text.slice(from, end);
      from = end + 1;
      // Vault takes the dash of `<<-NAME` for a part of the name when it looks whether the line is long enough.
      if (line.length >= dash.length + name.length && line.trimStart() === name) break;
      lines.push(`${line}\n`);
    }
    this.advance(from - this.at);
    return lines.join('');
  }
}
