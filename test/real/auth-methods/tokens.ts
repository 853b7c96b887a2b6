// Scenes of tokens that no login gave out as it stands: made by tokens, second factors, wrapped, root, nobody's.

import { createHmac } from 'node:crypto';
import type { Answer } from '../vault-client.ts';
import { enable, live, password, policies, type Scene, type Stage } from './stage.ts';

const from = '127.0.0.31';
const body = { policies: [policies], ttl: '30m' };

export const tokens = (stage: Stage): Scene[] => [
  kinds(stage),
  mfa(stage),
  wrapped(stage),
  rootGeneration(stage),
  nobody(stage),
];

const tokenOf = ({ auth }: Answer): string => auth?.client_token ?? '';

/** Logs in a person of the mount `auth/people/`. */
const person = ({ vault }: Stage, name: string) =>
  vault.login(`auth/people/login/${name}`, { password }, from);

async function addPeople({ vault }: Stage, ...names: string[]): Promise<void> {
  for (const name of names)
    await vault.root('POST', `auth/people/users/${name}`, { password, token_policies: policies });
}

const kinds = (stage: Stage): Scene => ({
  name: 'token-kinds',
  async prepare() {
    await enable(stage.vault, 'userpass', 'people');
    await addPeople(stage, 'dora', 'emil');
    await stage.vault.root('POST', 'auth/token/roles/nightly', {
      allowed_policies: policies,
      token_period: '24h',
    });
  },
  async play() {
    const { vault } = stage;
    const read = (token: string) => vault.must('GET', 'secret/data/team/app', { token, from });
    const dora = await person(stage, 'dora');
    // A child has the entity of its parent; one through a role or by root has none of its own.
    const child = await vault.must('POST', 'auth/token/create', {
      token: dora,
      from,
      body: { ...body, display_name: 'my-script' },
    });
    await live(vault, tokenOf(child), from);
    // Whoever makes a token writes its metadata, and may lie there.
    const meta = { username: 'alice', role_name: 'billing', service_account_name: 'cart' };
    const liar = await vault.must('POST', 'auth/token/create', {
      token: dora,
      from,
      body: { ...body, meta },
    });
    await read(tokenOf(liar));
    const byRole = await vault.must('POST', 'auth/token/create/nightly', { token: dora, from, body: {} });
    await read(tokenOf(byRole));
    const orphan = await vault.root('POST', 'auth/token/create-orphan', {
      ...body,
      display_name: 'old-cron',
    });
    await read(tokenOf(orphan));
    const periodic = await vault.root('POST', 'auth/token/create', { policies: [policies], period: '24h' });
    await read(tokenOf(periodic));
    const batch = await vault.must('POST', 'auth/token/create', {
      token: dora,
      from,
      body: { ...body, type: 'batch' },
    });
    await read(tokenOf(batch));
    const byRoot = await vault.root('POST', 'auth/token/create', {
      ...body,
      type: 'batch',
      display_name: 'nightly-job',
    });
    await read(tokenOf(byRoot));
    await vault.root('POST', 'auth/token/create', { policies: ['root'], display_name: 'break-glass' });
  },
});

/** The code of RFC 6238 for now. */
function totp(url: string): string {
  const query = new URL(url).searchParams;
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / Number(query.get('period')))));
  const sum = createHmac('sha1', base32(query.get('secret') ?? ''))
    .update(counter)
    .digest();
  const at = (sum.at(-1) ?? 0) & 15;
  return String((sum.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function base32(text: string): Buffer {
  const bits = [...text.replaceAll('=', '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** A second factor in the same call (a header), and in a call of its own (`sys/mfa/validate`). */
function mfa(stage: Stage): Scene {
  const { vault } = stage;
  let method = '';
  const codes = new Map<string, string>();
  return {
    name: 'mfa',
    async prepare() {
      await enable(vault, 'userpass', 'userpass-mfa');
      const made = await vault.root('POST', 'identity/mfa/method/totp', { issuer: 'vault', period: 30 });
      method = String(made.data['method_id']);
      for (const user of ['fred', 'greta']) {
        const path = `auth/userpass-mfa/users/${user}`;
        await vault.root('POST', path, { password, token_policies: policies });
        const { auth } = await vault.must('POST', `auth/userpass-mfa/login/${user}`, { body: { password } });
        const secret = { method_id: method, entity_id: auth?.entity_id };
        const { data } = await vault.root('POST', 'identity/mfa/method/totp/admin-generate', secret);
        codes.set(user, String(data['url']));
      }
      const mounts = await vault.root('GET', 'sys/auth');
      const { accessor } = mounts.data['userpass-mfa/'] as { accessor: string };
      const enforcement = { mfa_method_ids: [method], auth_method_accessors: [accessor] };
      await vault.root('POST', 'identity/mfa/login-enforcement/staff', enforcement);
    },
    async play() {
      const login = (user: string, code?: string) =>
        vault.must('POST', `auth/userpass-mfa/login/${user}`, {
          from,
          body: { password },
          headers: code === undefined ? {} : { 'x-vault-mfa': `${method}:${code}` },
        });
      const code = (user: string) => totp(codes.get(user) ?? '');
      const { auth } = await login('fred');
      const mfa_request_id = auth?.mfa_requirement?.mfa_request_id;
      const validate = (passcode: string) => ({
        from,
        body: { mfa_request_id, mfa_payload: { [method]: [passcode] } },
      });
      await vault.refused('POST', 'sys/mfa/validate', validate('000000'));
      const second = await vault.must('POST', 'sys/mfa/validate', validate(code('fred')));
      await live(vault, tokenOf(second), from);
      await live(vault, tokenOf(await login('greta', code('greta'))), from);
      await vault.refused('POST', 'auth/userpass-mfa/login/greta', {
        from,
        body: { password },
        headers: { 'x-vault-mfa': `${method}:000000` },
      });
    },
  };
}

const wrapped = (stage: Stage): Scene => ({
  name: 'wrapped',
  prepare: async () => {},
  async play() {
    const { vault } = stage;
    const wrap = { from, wrapTtl: '60s' };
    const opener = '127.0.0.32';
    const unwrap = (token: string) => vault.must('POST', 'sys/wrapping/unwrap', { token, from: opener });
    const login = await vault.must('POST', 'auth/people/login/dora', { ...wrap, body: { password } });
    await live(vault, tokenOf(await unwrap(login.wrap_info?.token ?? '')), opener);
    const token = await person(stage, 'emil');
    const made = await vault.must('POST', 'auth/token/create', { ...wrap, token, body });
    await vault.must('POST', 'sys/wrapping/lookup', { from: opener, body: { token: made.wrap_info?.token } });
    // With a token of one's own the wrapping token goes into the body: then it is known who unwraps.
    const own = { token, from, body: { token: made.wrap_info?.token } };
    await live(vault, tokenOf(await vault.must('POST', 'sys/wrapping/unwrap', own)), from);
    const thing = await vault.must('POST', 'sys/wrapping/wrap', { ...wrap, token, body: { a: 'example' } });
    const again = await vault.root('POST', 'sys/wrapping/rewrap', { token: thing.wrap_info?.token });
    await unwrap(again.wrap_info?.token ?? '');
    await vault.refused('POST', 'sys/wrapping/unwrap', { from: opener, token: again.wrap_info?.token ?? '' });
  },
});

const rootGeneration = ({ vault, unsealKey }: Stage): Scene => ({
  name: 'root-generation',
  prepare: async () => {},
  async play() {
    const attempt = (await vault.must('PUT', 'sys/generate-root/attempt', { from, body: {} })) as unknown as {
      nonce: string;
      otp: string;
    };
    const update = { from, body: { key: unsealKey, nonce: attempt.nonce } };
    const done = (await vault.must('PUT', 'sys/generate-root/update', update)) as unknown as {
      encoded_token: string;
    };
    const otp = Buffer.from(attempt.otp);
    const token = Buffer.from(done.encoded_token, 'base64').map((byte, i) => byte ^ (otp[i] ?? 0));
    const root = { token: Buffer.from(token).toString(), from };
    await vault.must('GET', 'secret/data/team/app', root);
    await vault.must('POST', 'auth/token/revoke-self', root);
  },
});

/** Calls without a token, with one that is none, and of a token whose entity is gone. */
const nobody = (stage: Stage): Scene => ({
  name: 'nobody',
  prepare: async () => {},
  async play() {
    const { vault } = stage;
    await vault.refused('GET', 'secret/data/team/app', { from });
    await vault.refused('GET', 'secret/data/team/app', { from, token: 'hvs.EXAMPLEexampleEXAMPLEexa' });
    await vault.refused('POST', 'auth/none/login/alice', { from, body: { password } });
    await vault.call('GET', 'sys/internal/ui/mounts', { from });
    const { auth } = await vault.must('POST', 'auth/people/login/emil', { from, body: { password } });
    await vault.root('POST', `identity/entity/id/${auth?.entity_id}`, { disabled: true });
    await vault.refused('GET', 'secret/data/team/app', { from, token: auth?.client_token ?? '' });
    await vault.refused('POST', 'auth/people/login/emil', { from, body: { password } });
  },
});
