// Alerts on calls that go by sealwatch's own name and are not its own (guarantee 9): whoever does more than look things up as
// sealwatch has stolen its login or its token. Not a Sigma rule: it hangs on which tokens the process holds. Pure.
//
// A call is our own when its token is one that the ledger told as held by us, and it stands on the declared list. The ledger may
// tell the first token of an identity a little after the first calls with it, so the newest calls of others are looked at again then.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { isOwnCall } from '../../core/own-calls.ts';
import type { OwnToken } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';
import { type AlertState, alertBody } from './alert.ts';
import { byTimeAndId, type Match, matchKey, matchOf } from './match.ts';
import type { RuleInfo } from './rule.ts';
import { SeenMatches } from './seen.ts';
import { UnorderedAlerts, type UnorderedSnapshot } from './unordered.ts';

export const ownTrafficRule: RuleInfo = {
  alerts: true,
  description:
    'The identity that sealwatch logs in with made a call that sealwatch never makes, or with a token that sealwatch does not hold.',
  falsePositives: [
    'A person who tries the policy of sealwatch by hand, with its role or a token of it.',
    'A second sealwatch that shares the role: give each a role of its own.',
  ],
  file: 'detectors/engine/own.ts',
  groupBy: ['user.id'],
  id: '7c1a5b52-8f0e-4a3b-9c55-2d7e0b9a6f14',
  level: 'critical',
  references: ['https://developer.hashicorp.com/vault/docs/audit'],
  runbook:
    'Revoke the token of the event (its accessor stands in it), renew the secret-id or key of the role that sealwatch logs in with, and look at what else came from that address.',
  status: 'test',
  techniques: ['T1078'],
  threshold: 1,
  timespanSeconds: 0,
  title: 'Own identity used by somebody else',
  version: '1',
};

const messageOf = ({ source, vault: { request } }: AuditEvent): string =>
  `sealwatch's own identity was used by somebody else: ${request.operation ?? 'a call'} ${request.path ?? ''}${source?.ip === undefined ? '' : ` from ${source.ip}`}.`;

/** A token of ours: the next login of the process that holds it ends it, though a call may still be under way. */
interface Token {
  accessor: string;
  entity: string | undefined;
  holder?: string | undefined;
  at: string;
  until?: string;
}

export interface OwnTrafficState {
  tokens: Token[];
  seen: [string, string][];
  waiting: [match: Match, accessor: string | undefined][];
  open: UnorderedSnapshot;
}

export class OwnTraffic {
  private readonly cluster: string;
  private readonly secrets: readonly string[];
  /** By accessor. */
  private readonly tokens: Map<string, Token>;
  private readonly entities: Set<string>;
  private readonly seen: SeenMatches;
  /** Declared calls by our identity: the login of their token may still be on its way. */
  private waiting: OwnTrafficState['waiting'];
  /** The newest calls of others; gone with the process. */
  private recent: AuditEvent[] = [];
  private readonly alerts: UnorderedAlerts;
  private readonly changed = new Map<string, AlertState>();
  private ledgerMark = '';

  /** `secrets`: the configured secrets of sealwatch's own, `<mount>/data/<path>`. */
  constructor(cluster: string, state?: OwnTrafficState, secrets: readonly string[] = []) {
    this.cluster = cluster;
    this.secrets = secrets;
    this.tokens = new Map(state?.tokens.map((token) => [token.accessor, token]));
    this.entities = new Set([...this.tokens.values()].flatMap(({ entity }) => entity ?? []));
    this.seen = new SeenMatches(state?.seen);
    this.waiting = [...(state?.waiting ?? [])];
    this.alerts = new UnorderedAlerts(false, state?.open);
  }

  /** Whether any token of ours is known: before, nobody's calls are looked at. */
  get hasTokens(): boolean {
    return this.tokens.size > 0;
  }

  /** A token that this process holds. */
  own({ accessor, at, entity_id: entity, holder }: OwnToken): void {
    if (this.tokens.has(accessor)) return;
    this.tokens.set(accessor, { accessor, entity, holder, at });
    if (entity !== undefined) this.entities.add(entity);
    const line = [...this.tokens.values()].filter(
      (token) => token.entity === entity && token.holder === holder,
    );
    line.sort((a, b) => (a.at < b.at ? -1 : 1));
    for (const [i, next] of line.slice(1).entries())
      (line[i] as Token).until = addSeconds(next.at, limits.ownTokenSeconds);
    if (this.tokens.size > limits.ownTokensMax) this.tokens.delete(this.tokens.keys().next().value as string);
    const { recent } = this;
    this.recent = [];
    for (const event of recent) {
      if (this.isOurs(event)) this.judge(event);
      else this.recent.push(event);
    }
  }

  /** An event as it arrives, of any revision. A login proves nothing yet: whoever uses what it gave is seen. */
  event(event: AuditEvent): void {
    if (event.event.action === 'user-login') return;
    if (this.isOurs(event)) this.judge(event);
    else if (this.recent.push(event) > limits.ownRecentCallsMax) this.recent.shift();
  }

  private isOurs({ vault: { caller } }: AuditEvent): boolean {
    const { accessor, entity_id: entity } = caller;
    return (
      (accessor !== undefined && this.tokens.has(accessor)) ||
      (entity !== undefined && this.entities.has(entity))
    );
  }

  private judge(event: AuditEvent): void {
    const { accessor } = event.vault.caller;
    const { operation = '', path = '' } = event.vault.request;
    const match = matchOf({ id: ownTrafficRule.id, message: messageOf }, event, event.user.id);
    if (!isOwnCall(operation, path, this.secrets)) this.alert(match);
    else if (this.waiting.length < limits.waitingMatchesMax) this.waiting.push([match, accessor]);
  }

  /** The ledger has worked in everything up to `time`: tokens that it could tell by now are not ours. */
  ledger(time: string): void {
    if (time <= this.ledgerMark) return;
    const due = addSeconds(time, -limits.ownTokenSeconds);
    const ready = this.waiting.filter(([match]) => match.time <= due);
    this.waiting = this.waiting.filter(([match]) => match.time > due);
    const foreign = ready.filter(([match, accessor]) => !this.isHeld(accessor, match.time));
    for (const match of foreign.map(([match]) => match).sort(byTimeAndId)) this.alert(match);
    this.ledgerMark = time;
    this.alerts.expire(time);
    this.seen.expire(time);
  }

  private isHeld(accessor: string | undefined, time: string): boolean {
    const token = accessor === undefined ? undefined : this.tokens.get(accessor);
    return token !== undefined && (token.until === undefined || time <= token.until);
  }

  private alert(match: Match): void {
    const key = matchKey(match.rule, match.id);
    if (this.seen.has(key)) return;
    this.seen.add(key, match.time > this.ledgerMark ? match.time : this.ledgerMark);
    const alert = this.alerts.add(match, this.ledgerMark);
    this.changed.set(alert.id, alert);
  }

  take(): { body: Alert; revision: number }[] {
    const alerts = [...this.changed.values()];
    this.changed.clear();
    return alerts.map((alert) => ({
      body: alertBody(ownTrafficRule, alert, this.cluster),
      revision: alert.count,
    }));
  }

  snapshot(): OwnTrafficState {
    return structuredClone({
      tokens: [...this.tokens.values()],
      seen: this.seen.snapshot(),
      waiting: this.waiting,
      open: this.alerts.snapshot(),
    });
  }
}
