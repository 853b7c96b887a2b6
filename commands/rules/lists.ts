// `sealwatch rules lists`: what the lists file silences and sets, and which entries have ended or soon will.

import { canonicalJson } from '../../core/canonical.ts';
import { SealwatchError } from '../../core/errors.ts';
import type { ReadLists } from '../../core/lists/read.ts';
import { addSeconds, timeOfMs } from '../../core/time.ts';
import { load, type RuleSource } from './load.ts';

/** An entry that ends within this time is named; one that ends later than a review should be is, too. */
const SOON_DAYS = 14;
const FAR_DAYS = 400;
const DAY_S = 86_400;

export interface ListState {
  kind: 'allow' | 'maintenance';
  name: string;
  rules: string[];
  owner: string;
  reason: string;
  /** First moment at which it holds; absent for one that has none. */
  from?: string;
  to: string;
  state: 'holds' | 'ends soon' | 'ends far off' | 'ended' | 'to come';
}

/** @param now canonical time */
export function listStates({ document }: ReadLists, now: string): ListState[] {
  return [
    ...document.allow.map(({ name, rules, owner, reason, until }) => ({
      ...{ kind: 'allow' as const, name, rules, owner, reason, to: until },
      state: stateOf('', until, now),
    })),
    ...document.maintenance.map(({ name, rules = ['*'], owner, reason, from, to }) => ({
      ...{ kind: 'maintenance' as const, name, rules, owner, reason, from, to },
      state: stateOf(from, to, now),
    })),
  ];
}

function stateOf(from: string, to: string, now: string): ListState['state'] {
  if (to < now) return 'ended';
  if (from > now) return 'to come';
  if (to > addSeconds(now, FAR_DAYS * DAY_S)) return 'ends far off';
  return from === '' && to < addSeconds(now, SOON_DAYS * DAY_S) ? 'ends soon' : 'holds';
}

/** A line for each allowance that somebody should look at; empty when none. */
export function listWarnings(states: readonly ListState[]): string[] {
  return states.flatMap(({ kind, name, owner, to, state }) => {
    const what = `${kind} ${name} (${owner})`;
    if (state === 'ends soon') return [`${what} ends on ${to.slice(0, 10)}: its rules alert again then`];
    if (state === 'ended' && kind === 'allow')
      return [`${what} ended on ${to.slice(0, 10)} and silences nothing: renew it or take it out`];
    return state === 'ends far off'
      ? [`${what} holds until ${to.slice(0, 10)}, over ${FAR_DAYS} days: nobody will look at it before`]
      : [];
  });
}

/** What is to be printed: entries, then what somebody should look at. Throws as `load` does. */
export function listsCommand(source: RuleSource, json: boolean): string {
  const { read } = load(source);
  if (read === undefined)
    throw new SealwatchError('USAGE', 'there is no lists file', 'Name one, or set SEALWATCH_RULES_LISTS.');
  const states = listStates(read, timeOfMs(Date.now()));
  if (json) return `${canonicalJson(states)}\n`;
  const warnings = listWarnings(states).map((warning) => `! ${warning}\n`);
  return `${showLists(read, states)}${warnings.join('')}`;
}

function showLists({ document }: ReadLists, states: readonly ListState[]): string {
  const count = (list: readonly unknown[] | object, what: string) =>
    `${Array.isArray(list) ? list.length : Object.keys(list).length} ${what}`;
  const entries = states.map(
    ({ kind, name, rules, owner, reason, from, to, state }) =>
      `${state.padEnd(12)}  ${kind} ${name}: ${rules.join(', ')}${from === undefined ? '' : ` from ${from.slice(0, 16)}Z`} until ${to.slice(0, 16)}Z, ${owner}: ${reason}`,
  );
  const rest = [
    count(document.classes, 'classes'),
    count(document.thresholds, 'thresholds'),
    count(document.settings, 'settings'),
    count(document.placeholders, 'placeholders'),
    count(document.texts.canaries, 'canaries'),
    count(document.texts.networks, 'networks'),
  ].join(', ');
  return `${[...entries, rest].join('\n')}\n`;
}
