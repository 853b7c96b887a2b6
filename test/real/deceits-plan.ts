// Calls that name another credential beside the one that Vault takes, played on a real Vault: what their lines say must not be
// believed. Each story tells what lives after it.

import type { Vault } from './vault-client.ts';

/** Accessors and lease ids by what became of them. */
export interface Outcome {
  alive: string[];
  ended: string[];
}

interface Token {
  token: string;
  accessor: string;
}

const app = { token: '', from: '127.0.0.21' };

/** Plays all of it; certificates with a lease stand for every kind of secret with one. */
export async function playDeceits(vault: Vault): Promise<Outcome> {
  await vault.root('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '8760h' } });
  await vault.root('POST', 'pki/root/generate/internal', { common_name: 'example.test', ttl: '8760h' });
  const role = { allow_any_name: true, generate_lease: true, ttl: '10m', max_ttl: '2h' };
  await vault.root('POST', 'pki/roles/svc', role);
  const all = ['create', 'read', 'update', 'delete', 'list', 'sudo'];
  const policy = `path "*" { capabilities = ${JSON.stringify(all)} }`;
  await vault.root('PUT', 'sys/policies/acl/all', { policy });
  app.token = (await made(vault, vault.rootToken, 'create-orphan')).token;
  const outcome: Outcome = { alive: [], ended: [] };
  await leases(vault, outcome);
  await lookups(vault, outcome);
  await renewals(vault, outcome);
  return outcome;
}

async function made(vault: Vault, token: string, how = 'create', ttl = '1h'): Promise<Token> {
  const body = { policies: ['all'], ttl };
  const { auth } = await vault.must('POST', `auth/token/${how}`, { token, body });
  return { token: auth?.client_token ?? '', accessor: auth?.accessor ?? '' };
}

async function issue(vault: Vault): Promise<string> {
  const asked = { ...app, body: { common_name: 'a.test' } };
  return (await vault.must('POST', 'pki/issue/svc', asked)).lease_id ?? '';
}

/** The id in the body comes before that in the path. */
async function leases(vault: Vault, { alive, ended }: Outcome): Promise<void> {
  const revoke = (id: string, body: object) =>
    vault.must('PUT', `sys/leases/revoke/${id}`, { ...app, body: { ...body, sync: true } });
  const [shown, meant, other, plain] = [
    await issue(vault),
    await issue(vault),
    await issue(vault),
    await issue(vault),
  ];
  await revoke(shown, { lease_id: meant });
  await revoke(other, { lease_id: 5 });
  await revoke(plain, { lease_id: '' });
  alive.push(shown, other);
  ended.push(meant, plain);
}

/** Each path reads one member of the body; whatever else stands there is nothing to Vault. */
async function lookups(vault: Vault, { alive }: Outcome): Promise<void> {
  const kept = await made(vault, app.token);
  const short = await made(vault, app.token, 'create', '5s');
  const { accessor } = kept;
  await vault.must('GET', 'auth/token/lookup-self', { token: short.token, query: `accessor=${accessor}` });
  await vault.must('POST', 'auth/token/lookup', { ...app, body: { token: short.token, accessor } });
  await vault.refused('POST', 'auth/token/lookup', { ...app, body: { token: 'hvs.nothing', accessor } });
  alive.push(accessor);
}

async function renewals(vault: Vault, { alive, ended }: Outcome): Promise<void> {
  const kept = await made(vault, app.token);
  const byToken = await made(vault, app.token);
  const byAccessor = await made(vault, app.token);
  const mine = { token: kept.token };
  await vault.must('POST', 'auth/token/renew-self', { ...mine, body: { token: byToken.token } });
  await vault.must('POST', 'auth/token/revoke', { ...app, body: { token: byToken.token } });
  const { accessor } = byAccessor;
  await vault.must('POST', 'auth/token/renew-self', { ...mine, body: { accessor } });
  await vault.must('POST', 'auth/token/revoke-accessor', { ...app, body: { accessor } });
  alive.push(kept.accessor);
  ended.push(accessor);
}
