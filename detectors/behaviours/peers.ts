// What the identities of one role, or with the same policies, use: told by each at its first use of a thing.

import type { Memory } from '../../core/ports.ts';
import { shortHash } from '../engine/alert.ts';
import type { Observation } from './behaviour.ts';

/** Identities kept of one role, and of one thing that they use. */
const MEMBERS_MAX = 200;
/** So large a part of the others makes a thing usual. */
const SHARE = 0.5;
const OTHERS = 2;

/** Names the callers whose use explains each other's; undefined when nothing does. */
export function peerGroupOf(call: Observation): string | undefined {
  if (call !== asked.call) asked = { call, group: groupOf(call) };
  return asked.group;
}

/** Several behaviours ask of the same call. */
let asked: { call?: Observation; group: string | undefined } = { group: undefined };

function groupOf({ auth_mount, role, policies }: Observation): string | undefined {
  if (role !== undefined) return JSON.stringify([auth_mount ?? '', role]);
  const own = policies?.filter((policy) => policy !== 'default').sort() ?? [];
  return own.length === 0 ? undefined : JSON.stringify(own);
}

export interface Use {
  user: string;
  item: string;
  /** `stretchOf` its day. */
  stretch: number;
}

/** Stretches of a month: members and uses count in theirs and the next. Whoever goes on tells it again in each. */
export const stretchOf = (day: number): number => Math.floor(day / 30);

/** Whether at least two other members of `group`, and half of them, use it. */
export function isUsualAmong(memory: Memory, group: string, { user, item, stretch }: Use): boolean {
  const mine = nameOf(user);
  const others = (key: string) => {
    const names = new Set([...members(memory, key, stretch - 1), ...members(memory, key, stretch)]);
    names.delete(mine);
    return names.size;
  };
  const users = others(`${group} ${item}`);
  return users >= OTHERS && users >= others(group) * SHARE;
}

export function usedBy(memory: Memory, group: string, { user, item, stretch }: Use): void {
  for (const key of [group, `${group} ${item}`]) {
    const before = members(memory, key, stretch);
    const name = nameOf(user);
    if (before.includes(name) || before.length >= MEMBERS_MAX) continue;
    memory.set('peers', `${key} ${stretch}`, [...before, name]);
  }
}

const members = (memory: Memory, key: string, stretch: number): string[] =>
  (memory.get('peers', `${key} ${stretch}`) as string[] | undefined) ?? [];
const nameOf = (user: string): string => shortHash(user).slice(0, 8);
