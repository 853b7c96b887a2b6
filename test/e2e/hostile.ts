// The hostile corpus: made-up secrets of every shape in every place of a line, each secret once, the same for one seed.

import { readFileSync } from 'node:fs';

export interface Corpus {
  lines: Buffer[];
  /** What must not be found anywhere. */
  secrets: string[];
}

type Tree = Record<string, unknown>;
interface Entry extends Tree {
  auth: Tree;
  request: Tree & { id: string };
  response?: Tree;
  time: string;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const hashed = `hmac-sha256:${'0123456789abcdef'.repeat(4)}`;
const fixtures = (path: string) => readFileSync(`test/fixtures/${path}.jsonl`, 'utf8').trim().split('\n');

/** A generator of Park and Miller: chance that can be had again. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

export function hostileCorpus(seed: number, nowMs: number): Corpus {
  const next = chance(seed);
  const secrets: string[] = [];
  const lines: Buffer[] = [];
  const chars = (length: number) => Array.from({ length }, () => letters[next(62)]).join('');
  const keep = (secret: string, shown = secret) => {
    secrets.push(secret);
    return shown;
  };
  const shapes: (() => string)[] = [
    ...['hvs.', 'hvb.', 'hvr.'].flatMap((prefix) => [24, 95].map((n) => () => prefix + chars(n))),
    () => `hvb.${chars(180)}-${chars(180)}_${chars(20)}`,
    ...['s.', 'b.', 'r.'].map((prefix) => () => prefix + chars(24)),
    () => `s.${chars(24)}.${chars(5)}`,
    () => `hvs.${chars(24)}.${chars(5)}`,
  ];
  const hashes: Entry = JSON.parse(fixtures('vault-1.21.1/default/kv-v2')[1] as string);
  const shows: Entry = JSON.parse(fixtures('vault-1.21.1/raw/kv-v2')[1] as string);
  let count = 0;
  const entry = (change: (entry: Entry) => void, from = hashes): string => {
    const copy = structuredClone(from);
    copy.request.id = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
    copy.time = new Date(nowMs + count++).toISOString();
    change(copy);
    return JSON.stringify(copy);
  };
  const add = (...texts: (string | Buffer)[]) => lines.push(...texts.map((text) => Buffer.from(text)));
  const shaped = places(entry);
  for (const shape of shapes) for (const place of shaped) add(place(keep(shape())));
  for (const shape of shapes) add(...odd(entry, () => keep(shape())));
  for (const line of rawLines(
    entry,
    shows,
    hashes,
    () => keep(`pw-${chars(24)}`),
    () => 1e9 + next(1e9),
    keep,
  ))
    add(line);
  const half = entry(
    (e) => Object.assign(e.request, { data: { password: keep(`pw-${chars(24)}`), more: 'x' } }),
    shows,
  );
  const cutAt = half.indexOf('pw-') + 2;
  secrets.push(half.slice(cutAt, cutAt + 25));
  add(half.slice(half.indexOf('"password"')), half.slice(0, -30));
  // Tens of megabytes, of a device that hashes and of one that does not.
  const keys = Array.from(
    { length: 250_000 },
    (_, i) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`,
  );
  add(
    entry((e) => Object.assign(e.response ?? {}, { data: { keys }, warnings: [keep(`hvs.${chars(95)}`)] })),
  );
  add(
    entry(
      (e) => Object.assign(e.response ?? {}, { data: { keys, password: keep(`pw-${chars(24)}`) } }),
      shows,
    ),
  );
  for (const name of ['default', 'raw']) {
    const leaks = fixtures(`vault-1.21.1-leaks/${name}`);
    add(...leaks);
    for (const [token] of leaks.join('\n').matchAll(/hv[sb]\.EXAMPLE[\w-]+/g))
      if (!secrets.includes(token)) secrets.push(token);
  }
  return { lines, secrets };
}

type MakeEntry = (change: (entry: Entry) => void, from?: Entry) => string;

/** Where a token may stand in the line of a device that hashes. */
function places(entry: MakeEntry): ((token: string) => string)[] {
  const request = (part: (token: string) => Tree) => (token: string) =>
    entry((e) => Object.assign(e.request, part(token)));
  const auth = (part: (token: string) => Tree) => (token: string) =>
    entry((e) => Object.assign(e.auth, part(token)));
  const escapeAt = (text: string, at: number) =>
    `${text.slice(0, at)}\\u00${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`;
  return [
    request((t) => ({ path: `auth/token/lookup/${t}` })),
    request((t) => ({ path: `${t}/data/app` })),
    request((t) => ({
      request_uri: `/v1/auth/token/lookup/${encodeURIComponent(t).replace('.', '%2E')}?a=${'b'}`,
    })),
    request((t) => ({ request_uri: `/v1/auth%2Ftoken%2Flookup%2F${t}?version=1` })),
    request((t) => ({ request_uri: `/v1/x?token=%${t.charCodeAt(0).toString(16)}${t.slice(1)}` })),
    request((t) => ({ headers: { 'x-vault-token': [t], authorization: [`Bearer ${t}x`.slice(0, -1)] } })),
    request((t) => ({ headers: { 'user-agent': ['curl', `agent ${t}`] } })),
    request((t) => ({ remote_address: t })),
    request((t) => ({ namespace: { id: 'x1', path: `team/${t}/` } })),
    request((t) => ({ id: t })),
    request((t) => ({ data: { [t]: hashed } })),
    request((t) => ({ data: { note: `{"token":"${t}"}` } })),
    request((t) => ({ data: { note: JSON.stringify(JSON.stringify({ token: t })) } })),
    auth((t) => ({ display_name: `token-${t}` })),
    auth((t) => ({ metadata: { made_by: t } })),
    auth((t) => ({ metadata: { [t]: 'x' } })),
    auth((t) => ({ policies: ['default', t] })),
    (t) => entry((e) => Object.assign(e, { error: `1 error occurred:\n\t* bad token ${t}\n\n` })),
    (t) => entry((e) => Object.assign(e, { type: t })),
    (t) => entry((e) => Object.assign(e, { time: t })),
    (t) => entry((e) => Object.assign(e, { response: { warnings: [`see ${t}`] } })),
    (t) => entry((e) => Object.assign(e, { response: { redirect: `https://x/?t=${t}` } })),
    (t) => entry((e) => Object.assign(e, { response: { wrap_info: { token: t } } })),
    (t) => entry((e) => Object.assign(e, { response: { auth: { client_token: t } } })),
    (t) => entry((e) => Object.assign(e, { error: 'SPOT' })).replace('SPOT', () => escapeAt(t, 0)),
    (t) =>
      entry((e) => Object.assign(e, { error: 'SPOT' })).replace('SPOT', () => escapeAt(t, t.indexOf('.'))),
    (t) => entry(() => {}).replace('"request"', () => `"error":"${t}","error":"none","request"`),
    (t) => `${t} ${entry(() => {})}`,
  ];
}

/** What is not one whole JSON object. */
function odd(entry: MakeEntry, token: () => string): Buffer[] {
  const nul = Buffer.of(0);
  return [
    Buffer.from(`refused for ${token()} at 10:00`),
    Buffer.from(`<json:object><json:string name="client_token">${token()}</json:string></json:object>`),
    Buffer.from(`{"auth":{"client_token":"${token()}`),
    Buffer.from(`[${JSON.stringify(token())}]`),
    Buffer.concat([Buffer.from([0xff, 0xc3]), Buffer.from(token()), Buffer.from([0xe2, 0x28])]),
    Buffer.concat([nul, Buffer.from(token()), nul]),
    Buffer.from(entry(() => {}).replace('{"auth"', `{"x":"${token()}","auth"`)),
    Buffer.from(token(), 'utf16le'),
  ];
}

/** Devices that hash nothing, calls without a token on them, and versions that leak. */
function rawLines(
  entry: MakeEntry,
  shows: Entry,
  hashes: Entry,
  secret: () => string,
  number: () => number,
  keep: (secret: string) => string,
): string[] {
  const pin = () => {
    const value = number();
    keep(String(value));
    return value;
  };
  const raw = (part: (entry: Entry) => Tree, from = shows) => entry((e) => Object.assign(e, part(e)), from);
  const open = (path: string, data: Tree) =>
    raw((e) => ({ auth: undefined, request: { id: e.request.id, data, path, operation: 'update' } }));
  const datas: (() => Tree)[] = [
    () => ({ data: { password: secret(), list: [secret(), { deep: secret() }] } }),
    () => ({ username: secret(), password: secret() }),
    () => ({ private_key: `-----BEGIN KEY-----\n${secret()}\n` }),
    () => ({ plaintext: secret(), pin: pin() }),
    () => ({ secret_id: secret(), token_policies: [secret()] }),
    () => ({ mfa_payload: { totp: [secret()] }, passcode: pin() }),
    () => ({ x: hashed, password: secret() }),
    () => ({ client_token: hashed, password: secret() }),
    () => ({ password: pin() }),
  ];
  return [
    ...datas.flatMap((data) => [
      raw((e) => ({ request: { ...e.request, data: data() } })),
      open('auth/userpass/login/a', data()),
    ]),
    ...datas.slice(0, 8).map((data) => {
      const { pin: _, passcode: __, ...texts } = data();
      return raw((e) => ({ response: { ...e.response, data: texts } }));
    }),
    raw((_e) => ({
      response: { wrap_info: { token: secret(), accessor: 'a', ttl: 60 }, auth: { client_token: secret() } },
    })),
    raw((e) => ({
      auth: { ...e.auth, client_token: secret() },
      request: { ...e.request, client_token: secret() },
    })),
    raw((e) => ({ auth: { ...e.auth, client_token: `${secret()}` } }), hashes),
    entry(
      (e) =>
        Object.assign(e.request, {
          data: { supplemental: hashed },
          supplemental_audit_data: { a: secret() },
        }),
      shows,
    ),
    entry((e) => Object.assign(e, { response: { data: { http_raw_body: secret() } } })),
    entry((e) =>
      Object.assign(e, {
        request: { ...e.request, path: 'sys/raw/core/x' },
        response: { data: { value: secret() } },
      }),
    ),
    entry((e) => Object.assign(e.request, { headers: { 'x-vault-token': [secret()] } })),
    entry(() => {}).replace('"client_token"', `"client_token":"${secret()}","client_token"`),
  ];
}
