// What calls, Vault's answers and pairs of hashes mean for credentials, as changes that `life/` works into its rows.

import type { AuditEvent } from '../../../core/event.ts';
import type { Answer, Handles, HashPair } from '../../../core/records.ts';
import type { Change, Directory, LedgerSink } from '../change.ts';
import type { ReadMemory } from './bounded.ts';
import { type Call, callOf, objectIn, proofOf, textOf, tokenId } from './call.ts';
import { ends } from './ends.ts';
import { Issues } from './issue.ts';
import { Joins } from './joins.ts';
import { Lifetimes } from './lifetimes.ts';
import { lifetimeIn, lookups, tokenIn } from './lookup.ts';
import { Own, type Shown } from './own.ts';
import { type Asked, Questions } from './questions.ts';
import { Renewals } from './renew.ts';

export interface ReadingOptions {
  cluster: string;
  /** Path under which Vault has enabled the audit device of a configured device: `file` of `sys/audit/file`. */
  auditPathOf: (device: string) => string;
  /** Names of the devices in order of rank, when there are several; an event shows the hashes of the first of its own. */
  ranks?: readonly string[];
}

export class Reading {
  private readonly memory: ReadMemory;
  private readonly directory: Directory;
  private readonly options: ReadingOptions;
  private readonly questions: Questions;
  private readonly joins: Joins;
  private readonly lifetimes: Lifetimes;
  private readonly issues: Issues;
  private readonly renewals: Renewals;
  private readonly own: Own;

  constructor(
    memory: ReadMemory,
    directory: Directory,
    sink: Pick<LedgerSink, 'ask' | 'own'>,
    options: ReadingOptions,
  ) {
    this.memory = memory;
    this.directory = directory;
    this.options = options;
    this.questions = new Questions(memory, (question) => sink.ask(question));
    const { auditPathOf, ranks = [] } = options;
    this.joins = new Joins(memory, this.questions, { auditPathOf, ranks });
    this.lifetimes = new Lifetimes(memory, directory, this.joins);
    const parts = { joins: this.joins, lifetimes: this.lifetimes, questions: this.questions };
    this.issues = new Issues(memory, directory, parts);
    this.renewals = new Renewals(memory, parts);
    this.own = new Own(memory, (token) => sink.own(token));
  }

  /** What a call of anybody changed. `handles`: the hashes of its line that no event holds. */
  call(event: AuditEvent, handles: Handles): Change[] {
    const call = callOf(event, handles, (shown) => this.joins.names.canonical(shown));
    const seen = this.issues.firstSeen(call);
    const joined = this.joinsOf(call);
    this.settings(call);
    const done = call.isDone
      ? [
          ...this.renewed(call),
          ...this.issues.given(call),
          ...ends(call, this.joins, this.memory, this.directory),
        ]
      : [];
    const shown = this.explain(this.own.call(call), call.base.at, call.base.proof);
    return [...seen, ...joined, ...done, ...lookups(call, this.joins), ...shown, ...used(call)];
  }

  /** What Vault answered to a question, of whoever it was; answers about names, mounts and policies are the directory's. */
  answer(answer: Answer): Change[] {
    const asked = answer.purpose === undefined ? this.questions.answered(answer) : undefined;
    const shown = this.explain(this.own.answer(answer), answer.at, proofOf(answer));
    return [...shown, ...this.told(answer, asked)];
  }

  /** Two devices showed the same token or accessor. */
  hashes(pair: HashPair): Change[] {
    return this.joins.pair(pair);
  }

  private told(answer: Answer, asked: Asked | undefined): Change[] {
    const { path, status } = answer;
    if (answer.method !== 'POST' || status === 0) return [];
    if (path.startsWith('sys/audit-hash/') && status === 200)
      return this.joins.hashAnswered(answer, asked?.salt);
    if (path === 'sys/leases/lookup') return this.leaseTold(answer, asked);
    return path === 'auth/token/lookup-accessor' ? this.tokenTold(answer, asked) : [];
  }

  private baseOf(answer: Answer, asked: Asked | undefined, id: string): Call['base'] {
    const namespace = asked?.namespace ?? this.memory.held(id)?.lease.namespace ?? '';
    return { at: answer.at, proof: proofOf(answer), cluster: this.options.cluster, namespace };
  }

  private leaseTold(answer: Answer, asked: Asked | undefined): Change[] {
    const id = textOf(answer.body ?? {}, 'lease_id');
    if (id === undefined) return [];
    const base = this.baseOf(answer, asked, id);
    if (answer.status === 400)
      return saysGone(answer, /invalid lease/) ? [{ change: 'gone', ...base, id }] : [];
    const data = objectIn(answer.response?.['data']);
    const told = answer.status === 200 ? lifetimeIn(data, base, id, 'own_lookup') : undefined;
    if (told === undefined) return [];
    const irrevocable: Change[] =
      data['revoke_error'] === undefined ? [] : [{ change: 'irrevocable', ...base, id }];
    const role = asked?.role;
    if (role === undefined || typeof data['last_renewal'] === 'string') return [told, ...irrevocable];
    const { place, issuedAt } = role;
    const life = this.lifetimes.learn(place, issuedAt, told.life.ttl_s, base.proof);
    return [told, ...irrevocable, ...(life ? this.lifetimes.nowKnown(place, life, base.cluster) : [])];
  }

  private tokenTold(answer: Answer, asked: Asked | undefined): Change[] {
    const accessor = textOf(answer.body ?? {}, 'accessor');
    const id = accessor === undefined ? undefined : this.joins.names.tokenByAccessor(accessor)?.id;
    if (accessor === undefined || id === undefined) return [];
    const base = this.baseOf(answer, asked, tokenId(accessor));
    if (answer.status >= 400)
      return saysGone(answer, /invalid accessor|bad token/) ? [{ change: 'gone', ...base, id }] : [];
    const told = tokenIn(objectIn(answer.response?.['data']), base, id, 'own_lookup');
    return told === undefined ? [] : [told];
  }

  /** A look-up of our own shows what the log has hashed; what it says itself is told by its answer. */
  private explain(shown: Shown | undefined, at: string, proof: string): Change[] {
    return shown === undefined ? [] : this.joins.explain(shown.hash, shown.name, 'asked', at, proof);
  }

  private renewed(call: Call): Change[] {
    const { action } = call.event.event;
    if (action === 'lease-renew') return this.renewals.lease(call);
    return action === 'token-renew' ? this.renewals.token(call) : [];
  }

  /** The call shows its caller's token by more than one hash: operations on the other may have waited for it. */
  private joinsOf({ token, handles, base }: Call): Change[] {
    if (token === undefined) return [];
    return [handles.sent, handles.inner].flatMap((hash) => this.joins.explainToken(hash, token, base.at));
  }

  /** What changes how long leases live from now on, and by which salt devices hash. */
  private settings(call: Call): void {
    if (!call.isDone) return;
    const { action } = call.event.event;
    const { rest, mount } = call;
    this.issues.role(call);
    // Of a token its issue tells the lifetime.
    const role = mount.startsWith('auth/') ? undefined : /^(?:static-)?roles?\/(.+)$/.exec(rest)?.[1];
    if (action === 'role-write' && role !== undefined) this.lifetimes.roleChanged(call, role, true);
    else if (action === 'role-delete' && role !== undefined) this.lifetimes.roleChanged(call, role, false);
    else if (action === 'engine-config-write' || action === 'engine-config-delete')
      this.lifetimes.mountChanged(call, mount);
    else if (action === 'mount-tune' || action === 'mount-enable' || action === 'mount-disable')
      this.lifetimes.mountChanged(call, `${rest.replace(/^mounts\//, '').replace(/\/(tune)?$/, '')}/`);
    else if (action === 'audit-device-enable' || action === 'audit-device-disable')
      this.joins.names.newSalt(rest.replace(/^audit\//, '').replace(/\/$/, ''), call.base.at);
  }
}

/** An error that names the thing: 403 alone may be a policy. */
const saysGone = ({ response }: Answer, said: RegExp): boolean => {
  const errors = response?.['errors'];
  return Array.isArray(errors) && errors.some((error) => typeof error === 'string' && said.test(error));
};

/** A call takes a use of its token whether it succeeds or not (`handleRequest` of Vault: used before it is routed). */
function used({ token, handles, base }: Call): Change[] {
  const before = handles.uses_left;
  if (token === undefined || before === undefined) return [];
  return [{ change: 'used', ...base, id: token, uses_left: Math.max(0, before - 1) }];
}
