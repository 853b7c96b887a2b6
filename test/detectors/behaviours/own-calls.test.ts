// sealwatch is a client of the Vault that it watches: what it does for weeks teaches nothing, and nobody is told of it.

import { describe, expect, it } from 'vitest';
import { noLists } from '../../../core/lists.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import { observationOf } from '../../../detectors/behaviours/observe.ts';
import { runCalls } from './run.ts';
import { DAY, HOUR, MONDAY, ordinary, type Weeks } from './weeks.ts';

const sealwatch = { name: 'sealwatch', kind: 'service' } as const;
const WEEKS = 5;
const ownSecrets = ['kv/data/sealwatch/webhook'];

/** A login a day, a renewal each half hour, questions in bursts; a week of rest in between; from another node in the end. */
function ownWeeks(world: Weeks): Weeks {
  const calls: [operation: string, path: string, secret?: string][] = [
    ['update', 'sys/leases/lookup'],
    ['update', 'auth/token/lookup-accessor'],
    ['read', 'identity/entity/id/9f3c'],
    ['read', 'database/roles/shop'],
    ['read', 'kv/data/sealwatch/webhook', 'kv/sealwatch/webhook'],
  ];
  const call = (at: number, [operation, path, secret]: (typeof calls)[number]) => {
    const ip = at < MONDAY + 20 * DAY ? '10.60.0.5' : '10.61.0.9';
    const event = world.call(sealwatch, at, { ip, secret: 'x' });
    event.vault.request = { ...event.vault.request, operation, path };
    if (secret === undefined) delete event.vault.secret;
    else event.vault.secret = { engine: 'kv-v2', path: secret };
    event.vault.caller.accessor = `accessor-of-day-${Math.floor(at / DAY)}`;
  };
  for (let day = 0; day < WEEKS * 7; day++) {
    if (day >= 7 && day < 14) continue;
    const begin = MONDAY + day * DAY;
    world.call(sealwatch, begin, { ip: '10.60.0.5' });
    for (let half = 1; half < 48; half++)
      call(begin + (half * HOUR) / 2, ['update', 'auth/token/renew-self']);
    const burst = day % 9 === 8 ? 900 : 20;
    for (let i = 0; i < burst; i++)
      call(begin + 9 * HOUR + i * 1000, calls[i % calls.length] as (typeof calls)[number]);
  }
  return world;
}

describe('what sealwatch does itself', () => {
  const { events } = ownWeeks(ordinary(3, WEEKS));
  const observed = (secrets: readonly string[]) =>
    events
      .flatMap((event) => observationOf(event, { lists: noLists, behaviours: [], ownSecrets: secrets }) ?? [])
      .sort((a, b) => (a.time + a.id < b.time + b.id ? -1 : 1));
  const named = (secrets: readonly string[]) => {
    const { alerts, baselines } = runCalls(observed(secrets), { behaviours: allBehaviours });
    return {
      alerts: alerts.filter(({ user }) => user.name === 'sealwatch').map(({ rule }) => rule.name),
      learned: [...baselines.keys()].filter((key) => key.endsWith('entity-of-sealwatch')),
    };
  };

  it('is never learned and never told', () => {
    expect(named(ownSecrets)).toEqual({ alerts: [], learned: [] });
  });

  it('unless it reads what is not configured', () => {
    expect(named([]).learned).not.toEqual([]);
  });
});
