// Somebody was denied here and there, and then got in at one of these places.

import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { minuteOf } from './calendar.ts';
import { hasIdentity, isDenied } from './caller.ts';
import { described, findingOn, toldOf, whoIs } from './told.ts';

const info = described({
  id: '6484113f-60f2-422c-8402-55112c50a943',
  name: 'probe-then-hit',
  title: 'Denied on several paths, then allowed on one of them',
  level: 'medium',
  techniques: ['T1087', 'T1110'],
  description:
    'An identity was denied on several different paths and within half an hour succeeded on one of them: it was given more rights, took them, or found its way in.',
  falsePositives: ['Somebody tries out a policy that is being written.'],
  runbook:
    'Look at what changed between the denial and the success: a policy, a role, a group, a login under another role. Ask who changed it and whether it was meant.',
  groupBy: ['user.id'],
  settings: ['paths'],
});

const MINUTES = 30;
const PATHS = 3;
const PATHS_MAX = 200;

/** Denied paths to the minute of the last denial. A JSON value. */
type Denied = Record<string, number>;

export const probeThenHit: Behaviour = {
  info,
  call(call, turn) {
    const path = call.secret?.path ?? call.path;
    if (path === undefined || !hasIdentity(call)) return;
    const now = minuteOf(call.time);
    const denied = turn.memory.get('denied', call.user) as Denied | undefined;
    if (isDenied(call)) turn.memory.set('denied', call.user, withDenial(denied, path, now));
    else if (denied !== undefined && call.teaches) hit(call, denied, { path, now }, turn);
  },
};

function withDenial(before: Denied | undefined, path: string, now: number): Denied {
  const denied = Object.fromEntries(Object.entries(before ?? {}).filter(([, at]) => now - at <= MINUTES));
  if (Object.keys(denied).length < PATHS_MAX || Object.hasOwn(denied, path)) denied[path] = now;
  return denied;
}

function hit(
  call: Observation,
  denied: Denied,
  { path, now }: { path: string; now: number },
  turn: Turn,
): void {
  const recent = Object.keys(denied).filter((denial) => now - (denied[denial] as number) <= MINUTES);
  if (recent.length === 0) turn.memory.delete('denied', call.user);
  const least = turn.lists.setting('probe-then-hit', 'paths', call.className, PATHS);
  if (recent.length < least || !recent.includes(path)) return;
  const minutes = now - (denied[path] as number);
  const message = `${whoIs(call.facts)} was denied on ${recent.length} paths within ${MINUTES} min, ${path} among them, and succeeded there ${minutes} min later.`;
  turn.find(findingOn(toldOf(call), call.user, message, { denied_paths: recent.length, minutes }));
  turn.memory.delete('denied', call.user);
}
