// Paths of policies: which of them match a path, and which of those decides. The rules are Vault's (acl.go, policy.go); lengths
// and order are those of bytes, so paths are compared as latin1 texts of their UTF-8.

export interface Pattern {
  kind: 'exact' | 'prefix' | 'segments';
  /** Bytes of the whole path with its namespace; of `prefix` without the closing asterisk. Rules of one kind and text are one. */
  text: string;
}

/** The UTF-8 of a text, one character a byte. */
export const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

/** Vault refuses `+*`. */
export const isPattern = (path: string): boolean => !path.includes('+*');

/** The pattern of a policy's path, as bytes. `namespace` with its closing slash. */
export function patternOf(namespace: string, path: string): Pattern {
  const text = bytesOf(namespace + (path.startsWith('/') ? path.slice(1) : path));
  if (text === '+' || text.includes('/+') || text.startsWith('+/')) return { kind: 'segments', text };
  return text.endsWith('*') ? { kind: 'prefix', text: text.slice(0, -1) } : { kind: 'exact', text };
}

/** Whether the pattern covers the path; both as bytes. */
export function matches({ kind, text }: Pattern, path: string): boolean {
  if (kind === 'exact') return path === text;
  if (kind === 'prefix') return path.startsWith(text);
  const isPrefix = text.endsWith('*');
  const wanted = (isPrefix ? text.slice(0, -1) : text).split('/');
  const given = path.split('/');
  if (isPrefix ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, i) => {
    const piece = given[i] as string;
    return part === '+' || part === piece || (isPrefix && i === wanted.length - 1 && piece.startsWith(part));
  });
}

/**
 * Above 0 when `a` decides before `b`. An exact path comes first; then the later first wildcard, not a prefix before a prefix,
 * fewer `+`, the longer, the greater text.
 */
export function compare(a: Pattern, b: Pattern): number {
  const [x, y] = [rankOf(a), rankOf(b)];
  for (const [i, value] of x.entries()) {
    const other = y[i] as number;
    if (value !== other) return value - other;
  }
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function rankOf({ kind, text }: Pattern): number[] {
  if (kind === 'exact') return [Number.POSITIVE_INFINITY];
  if (kind === 'prefix') return [text.length, 0, 0, text.length];
  const isPrefix = text.endsWith('*');
  const whole = isPrefix ? text.slice(0, -1) : text;
  const pluses = whole.split('/').filter((part) => part === '+').length;
  return [text.indexOf('+'), isPrefix ? 0 : 1, -pluses, whole.length];
}
