// Canonical JSON: keys sorted by UTF-16 code units, no white space (as RFC 8785; numbers as JavaScript writes them).

/** The canonical text of `value`; a member that is undefined is left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i]);
    return `${text}]`;
  }
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/**
 * Whether JSON.stringify of `value` is canonical already: keys in order, none that begins like a whole number (JavaScript
 * moves those). `'deep'` when it is nested deeper than `depthMax`, where neither can be told safely.
 */
export function isSorted(value: unknown, depthMax: number): boolean | 'deep' {
  if (typeof value !== 'object' || value === null) return true;
  if (depthMax === 0) return 'deep';
  let result = true;
  let before = '';
  const list = Array.isArray(value);
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === 'object' && member !== null) {
      const inner = isSorted(member, depthMax - 1);
      if (inner === 'deep') return inner;
      if (!inner) result = false;
    }
    if (list) continue;
    const first = key.charCodeAt(0);
    if (key < before || (first >= 48 && first <= 57)) result = false;
    before = key;
  }
  return result;
}
