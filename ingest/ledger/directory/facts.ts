// The directory: what is known of entities, groups, mounts, roles and policies, from calls and from Vault's answers.

import type { Fact, FactKind } from '../../../core/directory.ts';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import type { LedgerMemory } from '../../../core/ports.ts';
import type { Answer, Handles } from '../../../core/records.ts';
import { utcTime } from '../../../core/time.ts';
import type { Directory, LedgerSink } from '../change.ts';
import { type Answered, alwaysComes, Desk, seenIn } from './desk.ts';
import { Entities } from './entities.ts';
import { Groups } from './groups.ts';
import { Mounts } from './mounts.ts';
import { Policies } from './policies.ts';
import { Roles } from './roles.ts';
import { objectIn } from './values.ts';

export interface DirectoryOptions {
  /** Name of the cluster that sealwatch may ask. */
  cluster: string;
}

export class DirectoryFacts implements Directory {
  private readonly options: DirectoryOptions;
  private readonly desk: Desk;
  private readonly mounts: Mounts;
  private readonly roles: Roles;
  private readonly policies: Policies;
  private readonly groups: Groups;
  private readonly entities: Entities;

  constructor(memory: LedgerMemory, sink: Pick<LedgerSink, 'fact' | 'ask'>, options: DirectoryOptions) {
    this.options = options;
    this.desk = new Desk(memory, sink);
    this.mounts = new Mounts(this.desk, memory);
    this.roles = new Roles(this.desk);
    this.policies = new Policies(this.desk);
    this.groups = new Groups(this.desk, memory);
    this.entities = new Entities(this.desk, (id, answer) => this.groups.seen(id, answer));
  }

  /**
   * What a call tells, and which questions it raises. Of the calls that come for the sake of their token alone only those count
   * that show an entity for the first time: which others come hangs on the number of partitions.
   */
  call(event: AuditEvent, _handles: Handles): void {
    const seen = seenIn(event, this.options.cluster);
    if (alwaysComes(event)) this.mounts.call(seen);
    else if (!this.entities.isFirst(seen)) return;
    this.roles.call(seen);
    this.policies.call(seen);
    this.groups.call(seen);
    this.entities.call(seen);
  }

  /** What Vault answered to a question of the directory; any other answer is passed over. */
  answer(answer: Answer): void {
    const { path, namespace = '', status } = answer;
    const at = utcTime(answer.at);
    if (answer.method !== 'GET' || answer.purpose !== undefined || at === undefined || isNoAnswer(status))
      return;
    const isTold = status === 200 || status === 404;
    if (!this.desk.questions.answered(namespace, path, at, isTold ? 'told' : 'refused') || !isTold) return;
    const data = status === 404 ? null : dataOf(answer);
    if (data === undefined) return;
    const proof = answer.response?.['request_id'];
    const told = { at, source: 'vault', proof: typeof proof === 'string' ? proof : '' } as const;
    this.take(path, { cluster: this.options.cluster, namespace, told, data });
  }

  private take(path: string, answer: Answered): void {
    if (path === 'sys/mounts' || path === 'sys/auth') this.mounts.answer(path, answer);
    else if (path.startsWith('identity/group/')) this.group(path, answer);
    else if (path.startsWith('identity/')) this.entities.answer(path, answer);
    else if (path.startsWith('sys/')) this.policies.answer(path, answer);
    else this.roles.answer(path, answer);
  }

  /** Who has joined or left it has other groups now. */
  private group(path: string, answer: Answered): void {
    const change = this.groups.answer(path, answer);
    for (const id of change?.members ?? []) this.entities.member(id, answer, change?.since ?? answer.told.at);
  }

  /** The last that is known; `value` is null when it was removed. */
  current<W extends FactKind>(what: W, namespace: string, key: string): Fact<W> | undefined {
    return this.desk.store.current(what, { cluster: this.options.cluster, namespace, key });
  }
}

/** Sealed, standing by, too busy, or not there: nothing is told, and the question waits on. */
const isNoAnswer = (status: number): boolean => status === 0 || status === 429 || status >= 472;

/** Lists of mounts stand at the top of an answer too, between what every answer has. */
const dataOf = ({ response }: Answer): JsonObject | undefined => objectIn(response?.['data']);
