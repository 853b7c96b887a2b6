// Calls for virtual weeks: those of real lines, moved in time and given to others.

import { noLists } from '../../../core/lists.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Observation } from '../../../detectors/behaviours/behaviour.ts';
import { observationOf } from '../../../detectors/behaviours/observe.ts';
import { fixtureLines, made, sampleLines } from '../../ingest/normalise/lines.ts';

const scenes = ['approle', 'wrapped', 'kubernetes', 'userpass', 'nobody'];
const real = [
  ...made(sampleLines()).events,
  ...scenes.flatMap((scene) => made(fixtureLines(scene, 'auth')).events),
].flatMap((event) => observationOf(event, { lists: noLists, behaviours: [] }) ?? []);

export const DAY = 86_400;
const HOUR = 3600;

/** Monday 2026-09-07, `day` days and `hours` later. */
export const on = (day: number, hours = 0, seconds = 0): string =>
  addSeconds('2026-09-07T00:00:00.000000000Z', day * DAY + Math.round(hours * HOUR) + seconds);

let count = 0;

export interface CallParts extends Partial<Omit<Observation, 'facts' | 'secret'>> {
  time: string;
  /** Name of the user; `user` follows it. */
  name?: string;
  secret?: string;
}

/** A real call of this action that succeeded (or the one that `like` finds), with other parts. */
export function aCall(
  action: string,
  parts: CallParts,
  like: (call: Observation) => boolean = succeeded,
): Observation {
  const found = real.find((call) => call.action === action && like(call));
  if (found === undefined) throw new Error(`no real call is ${action}`);
  const { name, secret, ...rest } = parts;
  const user = parts.user ?? (name === undefined ? found.user : `entity-${name}`);
  count++;
  const { facts } = found;
  return {
    ...found,
    ...(secret !== undefined && found.secret !== undefined && { secret: { ...found.secret, path: secret } }),
    ...rest,
    user,
    id: parts.id ?? `call-${String(count).padStart(7, '0')}`,
    facts: {
      ...facts,
      ...(parts.ip !== undefined && { ip: parts.ip }),
      user: { ...facts.user, id: user, ...(name !== undefined && { name }) },
      vault: { ...facts.vault, ...(secret !== undefined && { secret: { path: secret } }) },
    },
  };
}

/** Logins teach nothing: sealwatch makes them, too. */
const succeeded = (call: Observation): boolean =>
  call.outcome === 'success' && (call.teaches || call.action === 'user-login');
export const byPerson = (call: Observation): boolean => succeeded(call) && call.className === 'human';
export const byWorkload = (call: Observation): boolean => succeeded(call) && call.className === 'workload';
export const failed = (call: Observation): boolean => call.outcome === 'failure';
