// One question about access at one time: what is known is loaded once, then path after path is answered.

import type { Fact } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { msOf } from '../../core/time.ts';
import { Access } from './could.ts';
import { holdersAt } from './holders.ts';
import { type Knowledge, knowledgeAt } from './knowledge.ts';
import type { AccessAnswer, CouldRow, Grounds } from './schemas.ts';

export interface Ground {
  access: Access;
  knowledge: Knowledge;
  liveTokens: number;
  /** What was too much to be read, in sentences. */
  cut: string[];
}

/** Said beside every answer. */
export const accessLimits = [
  'Sentinel policies, bounds on the addresses a token may come from, and multi-factor login are not evaluated: Vault may refuse what is listed as possible.',
  'Whoever may change policies, groups, roles or the storage itself can give themselves more than is listed.',
];

export const NO_POLICY =
  'No policy is known at this time, so nothing can be said of who could read: sealwatch may not ask Vault for policies, or has not yet.';

export async function groundAt(reader: EvidenceReader, at: string, cluster: string): Promise<Ground> {
  const knowledge = await knowledgeAt(reader, { at, cluster });
  const { holders, complete } = await holdersAt(reader, knowledge, cluster);
  const cut = [
    !knowledge.complete &&
      `There are more than ${limits.accessFactsMax} facts of policies, groups, roles and entities: the oldest are left out.`,
    !complete && `There are more than ${limits.evidenceRowsMax} groups of live tokens: the rest is left out.`,
  ].filter((sentence) => sentence !== false);
  const liveTokens = holders.reduce((sum, { tokens }) => sum + tokens, 0);
  return { access: new Access(knowledge, holders), knowledge, liveTokens, cut };
}

/** What `rows` rest on, and what could not be evaluated: after the last path was asked. */
export async function groundsOf(
  reader: EvidenceReader,
  ground: Ground,
  rows: readonly Pick<CouldRow, 'facts'>[],
): Promise<Grounds> {
  const { access, knowledge } = ground;
  const { policy, group, role, entity } = knowledge.facts;
  const cite = ({ id, what, namespace, key, at, source, proof }: Cited) => {
    const age_s = Math.floor((msOf(knowledge.at) - msOf(at)) / 1000);
    return { id, what, namespace, key, at, age_s, source, proof };
  };
  const facts: Cited[] = [];
  for (const id of new Set(rows.flatMap((row) => row.facts))) {
    const fact = access.facts.get(id);
    if (fact !== undefined) facts.push(fact as Cited);
    const lease = fact === undefined ? await reader.get('leases', id) : undefined;
    if (lease !== undefined)
      facts.push({
        ...{ id, what: 'token', key: id, source: 'audit', proof: lease.proof.issued },
        ...{ namespace: lease.namespace ?? '', at: lease.issued_at },
      });
  }
  return {
    at: knowledge.at,
    known: {
      policies: [...policy.values()].filter(({ value }) => value?.text !== undefined).length,
      groups: present(group),
      roles: present(role),
      entities: present(entity),
      live_tokens: ground.liveTokens,
    },
    facts: facts.map(cite).sort((a, b) => (a.id < b.id ? -1 : 1)),
    not_evaluated: access.notEvaluated(),
  };
}

type Cited = Pick<Grounds['facts'][number], 'what'> &
  Pick<Fact, 'id' | 'namespace' | 'key' | 'at' | 'source' | 'proof'>;

const present = (facts: Map<string, Fact>) =>
  [...facts.values()].filter(({ value }) => value !== null).length;

/** GET /v1/access. */
export async function accessTo(
  reader: EvidenceReader,
  asked: { path: string; namespace: string; cluster: string; at: string },
): Promise<AccessAnswer> {
  const { path, namespace, cluster, at } = asked;
  const ground = await groundAt(reader, at, cluster);
  const question = { cluster, namespace, path, capability: 'read' as const };
  if (!ground.knowledge.hasPolicies)
    return {
      ...question,
      ...(await groundsOf(reader, ground, [])),
      limits: [NO_POLICY, ...ground.cut],
      complete: false,
    };
  const { rows, complete } = await ground.access.could(
    { namespace, path },
    [question.capability],
    limits.accessRowsMax,
  );
  const grounds = await groundsOf(reader, ground, rows);
  const cut = complete ? [] : [`More than ${limits.accessRowsMax} rows: the rows beyond are cut off.`];
  return {
    ...question,
    could: rows,
    ...grounds,
    limits: [...cut, ...ground.cut, ...accessLimits],
    complete: complete && ground.cut.length === 0 && grounds.not_evaluated.length === 0,
  };
}
