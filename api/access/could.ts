// Who could read a path: every holder of policies held against it, one row per identity or role, with what it rests on.

import type { Fact } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import { type Decision, PathCheck, type PolicyName, policyKey } from './decide.ts';
import { classOf, type Grant, type Holder } from './holders.ts';
import type { Knowledge } from './knowledge.ts';
import type { Capability } from './policy.ts';
import type { CouldRow, NotEvaluated } from './schemas.ts';
import { takeTurns } from './turns.ts';

/** A doubt without those whom it is about. */
type Note = Omit<NotEvaluated, 'subjects' | 'examples'>;

/** Holders that every policy without a template treats alike. */
interface HolderClass {
  key: string;
  policies: PolicyName[];
  holders: Holder[];
  isRole: boolean;
}

/** Holders whose templates are filled in before others have their turn. */
const HOLDERS_A_TURN = 500;

/** Answers for one path after another, over what is known of one time. */
export class Access {
  /** Facts that a row rests on, by id. */
  readonly facts = new Map<string, Fact>();
  private readonly knowledge: Knowledge;
  private readonly classes: HolderClass[];
  private readonly noted = new Map<string, { note: Note; of: Set<string> }>();
  /** Class and note that are written down already: the next path brings the same. */
  private readonly told = new Set<string>();

  constructor(knowledge: Knowledge, holders: readonly Holder[]) {
    this.knowledge = knowledge;
    this.classes = classesOf(holders);
    for (const { doubts, who } of holders)
      for (const reason of doubts) this.note({ reason }, reason, [who.id]);
    this.note({ reason: 'group_unknown' }, 'group_unknown', knowledge.unknownGroups());
  }

  /** Rows by kind and id, at most `room` of them; `complete` is false when there were more. One of `wanted` is enough. */
  async could(
    path: { namespace: string; path: string },
    wanted: readonly Capability[],
    room: number,
  ): Promise<{ rows: CouldRow[]; complete: boolean }> {
    const check = new PathCheck(path, (policy) => this.knowledge.policy(policy));
    const rows = new Map<string, CouldRow>();
    for (const one of this.classes) {
      const personal = !one.isRole && check.isPersonal(one.policies);
      const shared = personal ? undefined : this.decide(check, one, one.holders, wanted);
      for (const [i, holder] of one.holders.entries()) {
        if (personal && i % HOLDERS_A_TURN === 0) await takeTurns();
        const decision = shared ?? this.decide(check, one, [holder], wanted);
        if (may(decision, wanted)) this.addRow(rows, holder, decision, wanted);
      }
    }
    await takeTurns();
    const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    return { rows: sorted.slice(0, room), complete: sorted.length <= room };
  }

  notEvaluated(): NotEvaluated[] {
    return [...this.noted]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { note, of }]) => ({
        ...note,
        subjects: of.size,
        examples: [...of].sort().slice(0, limits.accessExamplesMax),
      }));
  }

  private decide(
    check: PathCheck,
    { key, policies, isRole }: HolderClass,
    holders: Holder[],
    wanted: readonly Capability[],
  ): Decision {
    const [first] = holders as [Holder];
    const decision = check.decide(policies, first.identity);
    const ids = () => holders.map(({ who }) => who.id);
    for (const { doubt, policy, detail } of decision.noted) {
      const about = `${doubt}\n${policyKey(policy)}\n${detail ?? ''}`;
      const once = `${about}\n${holders.length === 1 ? first.who.id : key}`;
      if (this.told.has(once)) continue;
      this.told.add(once);
      this.note({ reason: doubt, policy, ...(detail !== undefined && { detail }) }, about, ids());
    }
    if (!isRole) return decision;
    // Whether a role gives `default` is not known: where it matters, that is said.
    const sure = first.grants.filter(({ assumed }) => !assumed).map(({ policy }) => policy);
    if (may(check.decide(sure, first.identity), wanted) !== may(decision, wanted))
      this.note({ reason: 'role_default_unknown' }, 'role_default_unknown', ids());
    return decision;
  }

  private note(note: Note, key: string, ids: string[]): void {
    if (ids.length === 0) return;
    const entry = this.noted.get(key) ?? { note, of: new Set<string>() };
    for (const id of ids) entry.of.add(id);
    this.noted.set(key, entry);
  }

  private addRow(
    rows: Map<string, CouldRow>,
    holder: Holder,
    decision: Decision,
    wanted: readonly Capability[],
  ): void {
    const { who } = holder;
    const key = `${who.kind}\n${who.id}`;
    const row = rows.get(key) ?? { who, policies: [], through: [], conditions: [], tokens: 0, facts: [] };
    rows.set(key, row);
    row.tokens += holder.tokens;
    for (const condition of decision.conditions) addOnce(row.conditions, condition);
    const giving = givingPolicies(decision, wanted);
    for (const grant of holder.grants) if (giving.has(policyKey(grant.policy))) this.addGrant(row, grant);
    const isPersonal = decision.matches.some(({ rule }) => rule.template !== undefined);
    const entity = this.knowledge.facts.entity.get(who.id);
    if (isPersonal && entity !== undefined) this.cite(row, entity);
  }

  private addGrant(row: CouldRow, { policy, via, fact, token }: Grant): void {
    addOnce(row.policies, policy.namespace + policy.name);
    if (!row.through.some(({ kind, id }) => kind === via.kind && id === via.id)) row.through.push(via);
    const text = this.knowledge.facts.policy.get(policyKey(policy));
    if (text !== undefined) this.cite(row, text);
    if (fact !== undefined) this.cite(row, fact);
    // What a group gives rests on who is in it, which the entity may have told.
    const entity = this.knowledge.facts.entity.get(row.who.id);
    if (via.kind === 'group' && entity !== undefined) this.cite(row, entity);
    if (token !== undefined) addOnce(row.facts, token);
  }

  private cite(row: CouldRow, fact: Fact): void {
    this.facts.set(fact.id, fact);
    addOnce(row.facts, fact.id);
  }
}

const may = ({ root, capabilities }: Decision, wanted: readonly Capability[]) =>
  root || wanted.some((capability) => capabilities.includes(capability));

const givingPolicies = ({ root, matches }: Decision, wanted: readonly Capability[]): Set<string> =>
  root
    ? new Set([policyKey({ namespace: '', name: 'root' })])
    : new Set(
        matches
          .filter(({ rule }) => wanted.some((one) => rule.capabilities.includes(one)))
          .map(({ policy }) => policyKey(policy)),
      );

function addOnce<T>(list: T[], value: T): void {
  if (!list.includes(value)) list.push(value);
}

function classesOf(holders: readonly Holder[]): HolderClass[] {
  const classes = new Map<string, HolderClass>();
  for (const holder of holders) {
    const isRole = holder.who.kind === 'role';
    const assumed = holder.grants.some((grant) => grant.assumed);
    const key = `${isRole} ${assumed}\n${classOf(holder)}`;
    const known = classes.get(key);
    if (known !== undefined) known.holders.push(holder);
    else {
      const distinct = new Map(holder.grants.map(({ policy }) => [policyKey(policy), policy]));
      classes.set(key, { key, policies: [...distinct.values()], holders: [holder], isRole });
    }
  }
  return [...classes.values()];
}
