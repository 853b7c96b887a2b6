// Text patterns of Sigma: `*` any run of characters, `?` one character, a backslash before them (or itself) makes them plain.

/** Literal text between two stars; `any` marks the places of `?`, undefined when there is none. */
interface Piece {
  any?: boolean[];
  text: string;
}

/** Pieces with a star between each two: the first is at the start of the text, the last at its end. */
export type Pattern = Piece[];

const BACKSLASH = '\\';

/** The pattern that `value` stands for. Escapes as the Sigma rules specification 2.0 lists them. */
export function parsePattern(value: string): Pattern {
  const pattern: Pattern = [{ text: '' }];
  for (let i = 0; i < value.length; i++) {
    const here = value[i] as string;
    const next = value[i + 1];
    if (here === BACKSLASH && (next === '*' || next === '?' || next === BACKSLASH)) {
      addChar(pattern, next, false);
      i++;
    } else if (here === '*') pattern.push({ text: '' });
    else addChar(pattern, here, here === '?');
  }
  return pattern;
}

function addChar(pattern: Pattern, char: string, any: boolean): void {
  const piece = pattern[pattern.length - 1] as Piece;
  piece.text += char;
  if (any) {
    piece.any ??= [];
    piece.any[piece.text.length - 1] = true;
  }
}

/** `value` as it stands, without wildcards. */
export const literal = (value: string): Pattern => [{ text: value }];

export type Place = 'whole' | 'contains' | 'startswith' | 'endswith';

/** The pattern with the stars that a modifier puts around it. */
export function placed(pattern: Pattern, place: Place): Pattern {
  const open = { text: '' };
  if (place === 'contains') return [open, ...pattern, open];
  if (place === 'startswith') return [...pattern, open];
  return place === 'endswith' ? [open, ...pattern] : pattern;
}

/** A test for whole texts. Without `cased` the letters' case does not matter. Linear in text times pattern. */
export function textTest(pattern: Pattern, cased: boolean): (text: string) => boolean {
  if (cased) return (text) => matchPieces(pattern, text);
  const pieces = pattern.map((piece) => ({ ...piece, text: piece.text.toLowerCase() }));
  const [first] = pieces;
  const prefix = first === undefined || first.any !== undefined ? '' : first.text;
  return (text) => !startsOtherwise(prefix, text) && matchPieces(pieces, text.toLowerCase());
}

/** Whether `text` surely does not start with the lower-case `prefix`: tells most texts apart before any is put in lower case. */
function startsOtherwise(prefix: string, text: string): boolean {
  for (let i = 0; i < prefix.length; i++) {
    const code = text.charCodeAt(i);
    // Beyond ASCII lower case is not one character for one.
    if (code > 127) return false;
    if ((code >= 65 && code <= 90 ? code + 32 : code) !== prefix.charCodeAt(i)) return true;
  }
  return false;
}

function matchPieces(pieces: Pattern, text: string): boolean {
  const first = pieces[0] as Piece;
  const lastAt = pieces.length - 1;
  if (lastAt === 0) return text.length === first.text.length && pieceAt(first, text, 0);
  const last = pieces[lastAt] as Piece;
  const end = text.length - last.text.length;
  if (!pieceAt(first, text, 0) || !pieceAt(last, text, end)) return false;
  // The leftmost place of each piece between is as good as any other, so there is nothing to take back.
  let from = first.text.length;
  for (let i = 1; i < lastAt; i++) {
    const piece = pieces[i] as Piece;
    const at = findPiece(piece, text, from);
    if (at < 0) return false;
    from = at + piece.text.length;
  }
  return from <= end;
}

function pieceAt(piece: Piece, text: string, at: number): boolean {
  const any = piece.any;
  if (any === undefined) return text.startsWith(piece.text, at);
  if (at + piece.text.length > text.length) return false;
  for (let i = 0; i < piece.text.length; i++) {
    if (any[i] !== true && piece.text.charCodeAt(i) !== text.charCodeAt(at + i)) return false;
  }
  return true;
}

function findPiece(piece: Piece, text: string, from: number): number {
  if (piece.any === undefined) return text.indexOf(piece.text, from);
  for (let at = from; at + piece.text.length <= text.length; at++) if (pieceAt(piece, text, at)) return at;
  return -1;
}
