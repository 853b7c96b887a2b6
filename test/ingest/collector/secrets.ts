// Made-up secrets in every shape that Vault knows, and lines that carry one at a chosen spot.

export const hashed = `hmac-sha256:${'0123456789abcdef'.repeat(4)}`;

const letters = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-';
const chars = (length: number) => letters.repeat(4).slice(0, length);

/** Tokens of Vault 1.10 and later by length, of older Vaults and OpenBao, and with the suffix of a namespace. */
export const shapes: string[] = [
  ...['hvs.', 'hvb.', 'hvr.'].flatMap((prefix) => [24, 95, 120].map((length) => prefix + chars(length))),
  `s.${chars(24)}`,
  `b.${chars(24)}`,
  `hvs.${chars(24)}.nSid1`,
  `s.${chars(24)}.nSid1`,
];

export function lineWith(parts: {
  path?: string;
  error?: string;
  data?: unknown;
  metadata?: unknown;
  name?: string;
  headers?: unknown;
  session?: boolean;
  id?: string;
}): string {
  const { path = 'secret/data/app', session = true, id = 'a6f0-1' } = parts;
  const token = session ? { client_token: hashed } : {};
  return JSON.stringify({
    auth: { ...token, display_name: parts.name ?? 'app', metadata: parts.metadata, policies: ['default'] },
    ...(parts.error !== undefined && { error: parts.error }),
    request: { ...token, data: parts.data, headers: parts.headers, id, operation: 'read', path },
    time: '2026-09-07T10:00:00.123456789Z',
    type: 'request',
  });
}

const escaped = (text: string, at: number) =>
  `${text.slice(0, at)}\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}${text.slice(at + 1)}`;

export interface Spot {
  name: string;
  /** A line that holds the token there; `session` says whether it has a hashed client token as well. */
  put(token: string, session: boolean): string;
}

export const spots: Spot[] = [
  { name: 'in the path', put: (token, session) => lineWith({ path: `auth/token/lookup/${token}`, session }) },
  { name: 'in a header', put: (token, session) => lineWith({ headers: { 'x-app': [token] }, session }) },
  {
    name: 'in the error',
    put: (token, session) => lineWith({ error: `bad token "${token}", try again`, session }),
  },
  { name: 'in the metadata', put: (token, session) => lineWith({ metadata: { made_by: token }, session }) },
  { name: 'in the display name', put: (token, session) => lineWith({ name: `token ${token}`, session }) },
  { name: 'in nested lists', put: (token, session) => lineWith({ data: { a: [[1, [token]]] }, session }) },
  { name: 'as a map key', put: (token, session) => lineWith({ data: { [token]: 1 }, session }) },
  {
    name: 'with escapes of its first letter',
    put: (token, session) => lineWith({ path: 'spot', session }).replace('spot', () => escaped(token, 0)),
  },
  {
    name: 'with an escape of its dot',
    put: (token, session) =>
      lineWith({ error: 'spot', session }).replace('spot', () => escaped(token, token.indexOf('.'))),
  },
  {
    name: 'with an escape inside it',
    put: (token, session) =>
      lineWith({ error: 'spot', session }).replace('spot', () => escaped(token, token.length - 8)),
  },
  { name: 'in text that is no JSON', put: (token) => `request refused for ${token} at 10:00` },
  { name: 'in JSON that is cut off', put: (token) => `{"request":{"id":"1","path":"auth/${token}` },
  { name: 'at the start of the line', put: (token) => `${token} was refused` },
  { name: 'at the end of the line', put: (token) => `refused: ${token}` },
  { name: 'alone', put: (token) => token },
  { name: 'before the object', put: (token, session) => `${token} ${lineWith({ session })}` },
  {
    name: 'under a key that comes twice',
    put: (token, session) =>
      lineWith({ session }).replace('"request"', () => `"error":"${token}","error":"none","request"`),
  },
];
