// The words of behaviours: metadata with what all of them share, findings on a call, times and numbers as people read them.

import type { Level } from '../../core/alert.ts';
import type { JsonObject } from '../../core/event.ts';
import { nanosBetween } from '../../core/time.ts';
import type { MatchFacts } from '../engine/match.ts';
import type { RuleInfo } from '../engine/rule.ts';
import type { Finding, Observation } from './behaviour.ts';

/** What differs from one behaviour to the next. */
export interface Described {
  id: string;
  /** Short name: its file's, by which lists set it. */
  name: string;
  title: string;
  level: Level;
  techniques: string[];
  description: string;
  falsePositives: string[];
  runbook: string;
  groupBy: string[];
  settings?: string[];
}

export const described = (parts: Described): RuleInfo => ({
  ...parts,
  alerts: true,
  file: `detectors/behaviours/${parts.name}.ts`,
  references: ['https://developer.hashicorp.com/vault/docs/audit'],
  status: 'test',
  threshold: 1,
  timespanSeconds: 0,
  version: '1',
});

/** What a crossing carries of the call, so that the finding can be made where it is counted. */
export type Told = { id: string; time: string; revision: 0 | 1 | 2; facts: MatchFacts };

export const toldOf = ({ id, time, revision, facts }: Observation): Told => ({ id, time, revision, facts });

/** As a member of a crossing's event. */
export const asJson = (told: Told): JsonObject => told as unknown as JsonObject;

/** A finding that the call proves. `message` is the whole sentence. */
export function findingOn(
  { id, time, revision, facts }: Told,
  group: string,
  message: string,
  numbers: Finding['facts'],
): Finding {
  return { group, match: { facts: { ...facts, message }, id, revision, time }, facts: numbers };
}

/** Who a sentence is about: the name that people know, else the id. */
export const whoIs = ({ user }: MatchFacts): string => user.name ?? user.id;

export const secondsBetween = (from: string, to: string): number => Math.floor(nanosBetween(from, to) / 1e9);

/** `90 s`, `45 min`, `36 h`, `30 days`: the largest unit that leaves two digits to speak of. */
export function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** At most three of `names`, as a sentence lists them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
