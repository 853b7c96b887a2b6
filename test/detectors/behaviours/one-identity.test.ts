// Each behaviour of one identity over virtual weeks: when it speaks, and when it must not.

import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../core/alert.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { run } from './run.ts';
import {
  ann,
  ben,
  billing,
  DAY,
  entityOf,
  eve,
  HOUR,
  LATER,
  MONDAY,
  ordinary,
  shop,
  shopHome,
  shopSecrets,
  Weeks,
} from './weeks.ts';

const seeds = [1, 2, 3];
const POD = '10.20.1.99';

const titled = (alerts: Alert[], title: string) => alerts.filter(({ rule }) => rule.name.includes(title));
/** Alerts of `title` in `world`, each as who and message. */
const saying = (world: Weeks, title: string, lists?: Lists) =>
  titled(run(world.events, lists === undefined ? {} : { lists }).alerts, title).map(({ message }) => message);

describe('ordinary weeks', () => {
  it.each(seeds)(
    'nobody is alerted: pods change addresses each day, people go home at night (seed %i)',
    (seed) => {
      const { alerts, failures, baselines } = run(ordinary(seed).events);
      expect(failures).toEqual([]);
      expect(alerts.map(({ message }) => message)).toEqual([]);
      expect(baselines.get(`first-access ${entityOf(shop)}`)).toMatchObject({
        learning: false,
        numbers: { secrets: 3, prefixes: 1, active_days: 21 },
      });
    },
  );

  it('a holiday of two weeks is no dormancy, nor is the first day back', () => {
    const world = ordinary(4, 2);
    world.person({ name: 'gus', kind: 'person' }, MONDAY, MONDAY + 12 * DAY, {
      secrets: ['team/gus'],
      ip: '10.50.0.19',
    });
    world.person({ name: 'gus', kind: 'person' }, MONDAY + 28 * DAY, MONDAY + 33 * DAY, {
      secrets: ['team/gus'],
      ip: '10.50.0.19',
    });
    expect(run(world.events).alerts).toEqual([]);
  });
});

describe('first access', () => {
  it('a service reads a secret of another', () => {
    const world = ordinary(1);
    world.call(shop, LATER, { ip: POD, secret: 'billing/ledger' });
    expect(saying(world, 'First access')).toEqual([
      'shop used secret/billing/ for the first time (secret-read): on 17 days since 2026-10-05 it used 3 secrets, and takes up hardly any new ones.',
    ]);
  });

  it('is quiet in the first days, on denied calls, and once it is known', () => {
    const world = new Weeks(1);
    world.service(shop, MONDAY, MONDAY + 2 * DAY, shopHome);
    world.call(shop, MONDAY + 2 * DAY, { ip: POD, secret: 'shop/new' });
    world.call(shop, MONDAY + 2 * DAY + HOUR, { ip: POD, secret: 'billing/ledger' });
    world.service(shop, MONDAY + 2 * DAY + 2 * HOUR, MONDAY + 9 * DAY, shopHome);
    world.call(shop, MONDAY + 9 * DAY, { ip: POD, secret: 'shop/denied', denied: true });
    world.call(shop, MONDAY + 9 * DAY + HOUR, { ip: POD, secret: 'shop/new' });
    expect(saying(world, 'First access')).toEqual([]);
  });

  it('what was not used for three months is new again, and what is used now and then stays known', () => {
    const world = new Weeks(6);
    world.service(shop, MONDAY, MONDAY + 5 * DAY, { ...shopHome, perHour: 1 });
    for (let day = 5; day <= 110; day += 5) {
      world.call(shop, MONDAY + day * DAY, { ip: POD, secret: 'shop/mail' });
      if (day % 50 === 0) world.call(shop, MONDAY + day * DAY + HOUR, { ip: POD, secret: 'shop/api-key' });
    }
    for (const secret of ['shop/mail', 'shop/api-key', 'shop/database'])
      world.call(shop, MONDAY + 111 * DAY, { ip: POD, secret });
    const said = titled(run(world.events).alerts, 'First access').map(({ vault }) => vault.secret?.path);
    expect(said).toEqual(['secret/shop/database']);
  });

  it('what most of a role use surprises nobody', () => {
    const of = (name: string) => ({ name, kind: 'service', role: 'web' }) as const;
    const rollout = (others: number) => {
      const world = new Weeks(5);
      const members = [of('web-1'), of('web-2'), of('web-3')];
      for (const member of members)
        world.service(member, MONDAY, MONDAY + 7 * DAY, { ...shopHome, perHour: 1 });
      for (const [i, member] of members.slice(0, others).entries())
        world.call(member, MONDAY + 7 * DAY + i * HOUR, { ip: POD, secret: 'shop/rollout' });
      world.call(of('web-3'), MONDAY + 8 * DAY, { ip: POD, secret: 'shop/rollout' });
      return titled(run(world.events).alerts, 'First access').map(({ user }) => user.id);
    };
    // The first two are news; the third follows them.
    expect(rollout(2)).toEqual(['entity-of-web-1', 'entity-of-web-2']);
    expect(rollout(0)).toEqual(['entity-of-web-3']);
  });
});

describe('new network', () => {
  it('a workload is used from elsewhere, refused or not', () => {
    for (const denied of [false, true]) {
      const world = ordinary(2);
      world.call(shop, LATER, { ip: '10.99.7.7', secret: 'shop/api-key', denied });
      const [alert, ...more] = titled(run(world.events).alerts, 'Workload calls from a new network');
      expect(more).toEqual([]);
      expect(alert?.message).toBe(
        `shop called from 10.99.7.7${denied ? ' and was refused' : ''}: never before from 10.99.7.0/24. On 17 days since 2026-10-05 it came from 1 network (10.20.1.0/24).`,
      );
      expect(alert?.rule.level).toBe('medium');
      expect(alert?.evidence.facts).toMatchObject({ known_networks: 1, network: '10.99.7.0/24' });
    }
  });

  it('a cluster that gives each node a network of one range is one home', () => {
    const world = ordinary(2);
    for (const [i, node] of [4, 5, 6].entries())
      world.service(billing, MONDAY + i * DAY, MONDAY + 21 * DAY, {
        secrets: ['billing/ledger'],
        range: `10.20.${node}`,
        perHour: 1,
      });
    world.call(billing, LATER, { ip: '10.20.77.3', secret: 'billing/ledger' });
    expect(saying(world, 'new network')).toEqual([]);
  });

  it('a network on the list is nothing new', () => {
    const from = (ip: string) => {
      const world = ordinary(2);
      world.call(shop, LATER, { ip, secret: 'shop/api-key' });
      const networks = ['10.99.0.0/16', '2001:db8::/32', '192.0.2.7', 'no network'];
      const lists = { ...noLists, texts: (name: string) => (name === 'networks' ? networks : []) };
      return saying(world, 'new network', lists).length;
    };
    expect(['10.99.7.7', '2001:db8:1::5', '192.0.2.7', '::ffff:10.99.1.1'].map(from)).toEqual([0, 0, 0, 0]);
    expect(['10.98.7.7', '2001:db9::5', '192.0.2.8'].map(from)).toEqual([1, 1, 1]);
  });

  it('a person in a hotel is worth a low alert', () => {
    const world = ordinary(2);
    world.call(ann, LATER, { ip: '198.51.100.4', secret: 'team/ann' });
    const alerts = titled(run(world.events).alerts, 'new network');
    expect(alerts.map(({ rule, user }) => [rule.level, user.name])).toEqual([['low', 'ann']]);
  });
});

describe('unusual hour', () => {
  it('a person at three in the morning, once a night', () => {
    const world = ordinary(3);
    for (const minute of [0, 20, 40, 70])
      world.call(ann, MONDAY + 16 * DAY + 3 * HOUR + minute * 60_000, {
        ip: '10.50.0.11',
        secret: 'team/ann',
      });
    expect(saying(world, 'unusual hour')).toEqual([
      'ann was active at 03:00 UTC: nothing of what it did on 12 days since 2026-10-05 lies within 2 hours of that.',
    ]);
  });

  it('services work at night, people an hour early; refused calls are no activity', () => {
    const world = ordinary(3);
    world.call(shop, MONDAY + 16 * DAY + 3 * HOUR, { ip: POD, secret: 'shop/mail' });
    world.call(ann, MONDAY + 16 * DAY + 6 * HOUR, { ip: '10.50.0.11', secret: 'team/ann' });
    world.call(ben, MONDAY + 16 * DAY + 3 * HOUR, { ip: '10.50.0.12', secret: 'team/ben', denied: true });
    expect(saying(world, 'unusual hour')).toEqual([]);
  });
});

describe('volume and sweeps', () => {
  /** `calls` calls of the shop within half an hour, over its own secrets or over `many` others. */
  const rush = (world: Weeks, calls: number, many = 0) => {
    for (let i = 0; i < calls; i++) {
      const secret = many === 0 ? world.oneOf(shopSecrets) : `shop/part-${i % many}`;
      world.call(shop, LATER + i * 1000, { ip: POD, secret });
    }
    return run(world.events).alerts.map(({ rule }) => rule.name);
  };

  it('ten times the traffic on few secrets is volume', () => {
    expect(rush(ordinary(1), 400)).toEqual(['Far more calls than usual']);
    expect(rush(ordinary(1), 30)).toEqual([]);
  });

  it('a service that grows tenfold for good is told a few times, then usual', () => {
    const world = ordinary(1, 2);
    for (let day = 14; day < 28; day++)
      for (let hour = 0; hour < 24; hour++)
        for (let i = 0; i < 100; i++)
          world.call(shop, MONDAY + day * DAY + hour * HOUR + i * 30_000, { ip: POD, secret: 'shop/mail' });
    const days = titled(run(world.events).alerts, 'Far more calls').map(({ alert }) =>
      alert.first_seen.slice(0, 10),
    );
    expect(days.length).toBeGreaterThan(0);
    expect(new Set(days)).toEqual(new Set(['2026-10-19']));
  });

  it('many secrets are a sweep, whether they are refused or not', () => {
    expect(rush(ordinary(2), 40, 40)).toContain('Far more different secrets than usual within an hour');
    const world = ordinary(2);
    for (let i = 0; i < 30; i++)
      world.call(shop, LATER + i * 1000, { ip: POD, secret: `other/${i}`, denied: true });
    expect(saying(world, 'Far more different secrets')[0]).toMatch(
      /^shop touched 9 different secrets within this hour \(\d+ refused\); usual are 2\.\d an hour, at most about 3\.?\d? \(\d+ hours since 2026-10-05\)\.$/,
    );
  });

  it('who walks through everything each night is expected to', () => {
    const inventory = { name: 'inventory', kind: 'service' } as const;
    const world = new Weeks(9);
    for (let day = MONDAY; day < MONDAY + 21 * DAY; day += DAY)
      for (let i = 0; i < 60; i++)
        world.call(inventory, day + 2 * HOUR + i * 1000, { ip: POD, secret: `all/${i}` });
    expect(run(world.events).alerts).toEqual([]);
  });

  it('secrets gathered slowly are found though no hour is unusual', () => {
    const world = ordinary(3);
    for (let i = 0; i < 20; i++)
      world.call(ann, LATER - 4 * HOUR + i * 25 * 60_000, { ip: '10.50.0.11', secret: `slow/${i}` });
    const names = run(world.events).alerts.map(({ rule }) => rule.name);
    expect(names).toContain('Secrets collected slowly over a day');
    expect(names).not.toContain('Far more different secrets than usual within an hour');
  });

  it('a person with a task of six new secrets is no collector', () => {
    const world = ordinary(3);
    for (let i = 0; i < 6; i++)
      world.call(ann, LATER - 4 * HOUR + i * 50 * 60_000, { ip: '10.50.0.11', secret: `task/${i}` });
    expect(saying(world, 'collected slowly')).toEqual([]);
  });
});

describe('dormant identity', () => {
  const world = () => ordinary(1, 2);
  it('wakes after 60 days', () => {
    const weeks = world();
    weeks.call(eve, MONDAY + 75 * DAY, { ip: '10.50.0.13', secret: 'team/eve' });
    expect(saying(weeks, 'Dormant')).toEqual([
      'eve made a call after 64 days of silence (last seen 2026-10-16); before that it was never silent for more than 3 days.',
    ]);
  });

  it('does not wake by what is refused, nor after three weeks', () => {
    const weeks = world();
    weeks.call(eve, MONDAY + 33 * DAY, { ip: '10.50.0.13', secret: 'team/eve' });
    weeks.call(ben, MONDAY + 75 * DAY, { ip: '10.50.0.12', secret: 'team/ben', denied: true });
    weeks.call(ben, MONDAY + 75 * DAY, { ip: '10.50.0.12', denied: true });
    expect(saying(weeks, 'Dormant')).toEqual([]);
  });

  it('a quarterly job is known after its second run', () => {
    const quarterly = { name: 'quarterly', kind: 'service' } as const;
    const weeks = new Weeks(1);
    for (const day of [0, 1, 91, 182, 273])
      weeks.call(quarterly, MONDAY + day * DAY, { ip: POD, secret: 'q/close' });
    expect(saying(weeks, 'Dormant')).toHaveLength(1);
  });
});

describe('new identity', () => {
  const newcomer = { name: 'newcomer', kind: 'service' } as const;

  it('reads a secret at once, where new ones are rare', () => {
    const world = ordinary(2);
    world.call(newcomer, LATER, { ip: POD });
    world.call(newcomer, LATER + 120_000, { ip: POD, secret: 'shop/api-key' });
    expect(saying(world, 'New identity')).toEqual([
      'newcomer was never seen since 2026-10-05 and used secret/shop/api-key 2 min after its first call; on auth/approle/ 0 new identities a day are usual.',
    ]);
  });

  it('counts where it came first when its secret is read by another mount', () => {
    const world = ordinary(2);
    world.call(newcomer, LATER, { ip: POD });
    const read = world.call(newcomer, LATER + 60_000, { ip: POD, secret: 'shop/api-key' });
    read.vault.caller.auth_mount = 'auth/elsewhere/';
    const { alerts, failures } = run(world.events);
    expect(failures).toEqual([]);
    expect(titled(alerts, 'New identity').map(({ message }) => message)).toEqual([
      expect.stringContaining('1 min after its first call; on auth/approle/ 0 new identities'),
    ]);
  });

  it('is quiet when it takes its time, when it is refused, and where new ones come each day', () => {
    const slow = ordinary(2);
    slow.call(newcomer, LATER, { ip: POD });
    slow.call(newcomer, LATER + HOUR, { ip: POD, secret: 'shop/api-key' });
    const refused = ordinary(2);
    refused.call(newcomer, LATER, { ip: POD, secret: 'shop/api-key', denied: true });
    const busy = ordinary(2);
    for (let i = 0; i < 40; i++)
      busy.call({ name: `job-${i}`, kind: 'service' }, MONDAY + i * 12 * HOUR, {
        ip: POD,
        secret: 'ci/deploy-key',
      });
    for (const world of [slow, refused, busy]) expect(saying(world, 'New identity')).toEqual([]);
  });
});

describe('probe then hit', () => {
  const probe = (paths: number, minutes: number, hit = 'probe/0') => {
    const world = ordinary(1);
    for (let i = 0; i < paths; i++)
      world.call(ben, LATER + i * 1000, { ip: '10.50.0.12', secret: `probe/${i}`, denied: true });
    world.call(ben, LATER + minutes * 60_000, { ip: '10.50.0.12', secret: hit });
    return saying(world, 'Denied on several paths');
  };

  it('a denied path opens within half an hour', () => {
    expect(probe(4, 20)).toEqual([
      'ben was denied on 4 paths within 30 min, secret/probe/0 among them, and succeeded there 20 min later.',
    ]);
  });

  it('is quiet after one denial, after an hour, and on a path that was never denied', () => {
    expect(probe(1, 5)).toEqual([]);
    expect(probe(4, 60)).toEqual([]);
    expect(probe(4, 5, 'team/ben')).toEqual([]);
  });
});

describe('canary', () => {
  const lists: Lists = {
    ...noLists,
    texts: (name) =>
      name === 'canaries' ? ['secret/data/prod/root-ca', 'secret/honey/*', 'secret/data/team?/bait'] : [],
  };
  const touch = (secret: string, denied: boolean, with_: Lists = lists) => {
    const world = new Weeks(1);
    world.call(eve, MONDAY, { ip: '10.50.0.13', secret, denied });
    return titled(run(world.events, { lists: with_ }).alerts, 'Canary').map(({ rule, message }) => [
      rule.level,
      message,
    ]);
  };

  it('any touch is critical, from the first call on', () => {
    const who = 'eve touched the canary secret/data/prod/root-ca (secret-read) from 10.50.0.13';
    expect(touch('prod/root-ca', false)).toEqual([['critical', `${who}: nobody has a reason to use it.`]]);
    expect(touch('prod/root-ca', true)).toEqual([
      ['critical', `${who}, and was refused: nobody has a reason to use it.`],
    ]);
    expect(touch('honey/pot', false)).toHaveLength(1);
    expect(touch('team9/bait', false)).toHaveLength(1);
  });

  it('nothing else is, and nothing without a list', () => {
    expect(touch('prod/root-ca-2', false)).toEqual([]);
    expect(touch('team/honey', false)).toEqual([]);
    expect(touch('team99/bait', false)).toEqual([]);
    expect(touch('prod/root-ca', false, noLists)).toEqual([]);
  });
});

describe('what was learned', () => {
  it('shows the numbers that the alert speaks of, as of the alert', () => {
    const world = ordinary(1);
    for (let i = 0; i < 300; i++)
      world.call(shop, LATER + i * 1000, { ip: '10.99.7.7', secret: `other/${i}` });
    const { alerts, baselines } = run(
      world.events.filter((event) => Date.parse(event['@timestamp']) <= LATER + 300_000),
    );
    const pairs = [
      ['Far more calls', 'volume-drift', 'expected_most', 'most_per_hour'],
      ['Far more different', 'secret-sweep', 'expected_most', 'most_per_hour'],
      ['Workload calls', 'new-network', 'known_networks', 'networks'],
    ] as const;
    for (const [title, behaviour, fact, number] of pairs) {
      const alert = alerts.find(({ rule }) => rule.name.startsWith(title));
      const told = baselines.get(`${behaviour} ${entityOf(shop)}`);
      expect(told?.numbers[number]).toBe(alert?.evidence.facts[fact]);
      expect(Date.parse(told?.at ?? '')).toBeGreaterThanOrEqual(LATER);
    }
  });
});
