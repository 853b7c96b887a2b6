// The evaluator against a real Vault: for every token and path it says what sys/capabilities says, or names why it cannot.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Access } from '../../api/access/could.ts';
import { type Decision, PathCheck } from '../../api/access/decide.ts';
import { type Holder, holdersAt } from '../../api/access/holders.ts';
import { type Knowledge, knowledgeAt } from '../../api/access/knowledge.ts';
import { parsePolicy } from '../../api/access/policy.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { batchOf } from '../contract/evidence-store.ts';
import { oddTexts, otherPaths, paths, randomPaths, randomPolicies } from './access/policies.ts';
import { AT, factsOf, furnish, leaseOf, type TestToken } from './access/stage.ts';
import { type RunningVault, startVault } from './servers.ts';

let running: RunningVault;
let tokens: TestToken[];
let knowledge: Knowledge;
let holders: Holder[];
const allPaths = [...paths, ...otherPaths];

beforeAll(async () => {
  running = await startVault('vault-access');
  tokens = await furnish(running.vault);
  const folder = await mkdtemp(join(tmpdir(), 'sealwatch-access-'));
  const writer = openEvidenceWriter(join(folder, 'evidence.db'));
  const leases = tokens.map((token) => ({ revision: 1, body: leaseOf(token) }));
  await writer.write(batchOf({ facts: await factsOf(running.vault), leases }));
  const reader = openEvidenceReader(join(folder, 'evidence.db'));
  knowledge = await knowledgeAt(reader, { at: AT, cluster: 'test' });
  ({ holders } = await holdersAt(reader, knowledge, 'test'));
  await reader[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

afterAll(() => running?.[Symbol.asyncDispose]());

/** What Vault says of each path, sorted. */
async function capabilities({ token }: TestToken): Promise<Record<string, string[]>> {
  const { data } = await running.vault.root('POST', 'sys/capabilities', { token, paths: allPaths });
  return data as Record<string, string[]>;
}

const holderOf = (token: TestToken): Holder => {
  const found = holders.find(({ grants, who, tokens: n }) =>
    token.policies.includes('root')
      ? who.kind === 'root'
      : n > 0 && (who.id === `token:${token.accessor}` || who.id === token.entityId) && grants.length >= 0,
  );
  if (found === undefined) throw new Error(`no holder for ${token.name}`);
  return found;
};

function decisionOf(token: TestToken, path: string): Decision {
  const { grants, identity } = holderOf(token);
  const check = new PathCheck({ namespace: '', path }, (policy) => knowledge.policy(policy));
  return check.decide(
    grants.map(({ policy }) => policy),
    identity,
  );
}

const textOf = ({ root, capabilities: given }: Decision): string[] =>
  root ? ['root'] : given.length === 0 ? ['deny'] : [...given].sort();

it('says what Vault says of every token and path', async () => {
  const differences: string[] = [];
  let pairs = 0;
  let allowed = 0;
  for (const token of tokens) {
    const said = await capabilities(token);
    for (const path of allPaths) {
      const decision = decisionOf(token, path);
      const [ours, theirs] = [textOf(decision).join(), (said[path] ?? []).join()];
      pairs++;
      if (theirs !== 'deny') allowed++;
      if (ours !== theirs)
        differences.push(
          `${token.name} ${path}: ${ours}, Vault: ${theirs}; ${JSON.stringify(decision.noted)}`,
        );
    }
  }
  expect(differences).toEqual([]);
  expect(pairs).toBeGreaterThan(1000);
  expect(allowed).toBeGreaterThan(pairs / 20);
});

it('says what Vault says of random policies, alone and two together', async () => {
  const { vault } = running;
  const [texts, where] = [randomPolicies(), randomPaths()];
  const parsed = texts.map((policy) => parsePolicy(policy));
  for (const [i, policy] of texts.entries())
    await vault.root('PUT', `sys/policies/acl/random-${i}`, { policy });
  const differences: string[] = [];
  for (const [i] of texts.entries()) {
    const names = i % 2 === 0 ? [i] : [i, i - 1];
    const policies = names.map((n) => ({ namespace: '', name: `random-${n}` }));
    const body = { policies: policies.map(({ name }) => name), ttl: '1h', no_default_policy: true };
    const { auth } = await vault.root('POST', 'auth/token/create', body);
    const said = (await vault.root('POST', 'sys/capabilities', { token: auth?.client_token, paths: where }))
      .data;
    for (const path of where) {
      const known = ({ name }: { name: string }) => parsed[Number(name.slice('random-'.length))] ?? 'unknown';
      const decision = new PathCheck({ namespace: '', path }, known).decide(policies, { entity: undefined });
      const theirs = (said[path] as string[]).join();
      if (textOf(decision).join() !== theirs)
        differences.push(`${names} ${path}: ${textOf(decision)}, Vault: ${theirs}`);
    }
  }
  expect(differences).toEqual([]);
});

it('understands a text exactly when Vault takes it', async () => {
  const { vault } = running;
  const differences: string[] = [];
  for (const policy of oddTexts) {
    const { status, errors } = await vault.call('PUT', 'sys/policies/acl/odd', {
      token: vault.rootToken,
      body: { policy },
    });
    const parsed = parsePolicy(policy);
    const [ours, theirs] = ['rules' in parsed, status < 300];
    if (ours !== theirs)
      differences.push(`${policy}: ${JSON.stringify(parsed)}, Vault: ${errors?.join() ?? 'taken'}`);
  }
  expect(differences).toEqual([]);
});

it('names exactly those whose token can read, for every path', async () => {
  const access = new Access(knowledge, holders);
  const said = new Map<TestToken, Record<string, string[]>>();
  for (const token of tokens) said.set(token, await capabilities(token));
  for (const path of allPaths) {
    const { rows } = await access.could({ namespace: '', path }, ['read'], 1000);
    const live = rows.filter((row) => row.tokens > 0).map(({ who }) => who.id);
    const theirs = tokens.filter((token) =>
      said.get(token)?.[path]?.some((one) => one === 'read' || one === 'root'),
    );
    const ids = theirs.map((token) =>
      token.policies.includes('root') ? 'root' : (token.entityId ?? `token:${token.accessor}`),
    );
    expect([path, live.sort()]).toEqual([path, [...new Set(ids)].sort()]);
    for (const row of rows) expect(row.policies.length).toBeGreaterThan(0);
    for (const role of ['reader', 'writer']) {
      const login = tokens.find(({ name }) => name === `role-${role}`) as TestToken;
      const named = rows.some(({ who }) => who.id === `auth/approle/role/${role}`);
      expect([path, role, named]).toEqual([path, role, said.get(login)?.[path]?.includes('read')]);
    }
  }
  // Nothing is in doubt but what facts do not hold: metadata that is empty, who will log in by a role, and whether it gives `default`.
  const doubts = access.notEvaluated().map(({ reason, policy }) => `${reason} ${policy?.name}`);
  expect([...new Set(doubts)]).toEqual([
    'policy_unknown not-there',
    'role_default_unknown undefined',
    'template_unknown by-entity',
  ]);
});
