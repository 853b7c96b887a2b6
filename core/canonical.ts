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

/** Whether JSON.stringify of `value` is canonical already: keys in order, none like a whole number (JS moves those). */
export function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let before = '';
  for (const key in value) {
    const digit = key.charCodeAt(0);
    if (key < before || (digit >= 48 && digit <= 57)) return false;
    if (!isSorted((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}
