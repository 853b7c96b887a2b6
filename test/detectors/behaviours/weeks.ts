// Virtual weeks: calls of a real Vault, told again by made-up services and people on a calendar, with seeded chance.

import { readFileSync } from 'node:fs';
import { normaliseLines } from '../../../commands/replay-lines.ts';
import type { AuditEvent } from '../../../core/event.ts';
import { timeOfMs } from '../../../core/time.ts';

/** A Monday. */
export const MONDAY = Date.parse('2026-10-05T00:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const sample = normaliseLines(readFileSync('deploy/sample/audit.jsonl', 'utf8').trim().split('\n'));
const real = (what: string, fits: (event: AuditEvent) => boolean): AuditEvent => {
  const event = sample.find(fits);
  if (event === undefined) throw new Error(`the sample has no ${what}`);
  return event;
};
const isOf = (kind: string, action: string, reason?: string) => (event: AuditEvent) =>
  event.vault.caller.kind === kind && event.event.action === action && event.event.reason === reason;

/** Real calls that others are made of. */
const models = {
  serviceReads: real('read by a service', isOf('workload', 'secret-read')),
  serviceLogin: real('login of a service', isOf('workload', 'user-login')),
  personReads: real('read by a person', isOf('human', 'secret-read')),
  personLogin: real('login of a person', isOf('human', 'user-login')),
  personDenied: real('denial', isOf('human', 'secret-read', 'policy_denied')),
  loginFailed: real('failed login', isOf('anonymous', 'user-login', 'login_failed')),
};

export interface Actor {
  name: string;
  kind: 'service' | 'person';
  /** Own or shared; a service's own has its name. */
  role?: string;
}

export interface Call {
  /** Without `secret/`; absent for a login. */
  secret?: string;
  ip: string;
  /** Vault refuses it: of a read by policy, of a login by the password. */
  denied?: boolean;
}

export class Weeks {
  readonly events: AuditEvent[];
  private state: number;

  constructor(seed: number, events: readonly AuditEvent[] = []) {
    this.state = seed;
    this.events = [...events];
  }

  /** The same weeks, to go on from. */
  copy(): Weeks {
    return new Weeks(this.state, this.events);
  }

  /** A number from 0 to 1, the same for the same seed (mulberry32). */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A call at `at`, ms since 1970. */
  call(actor: Actor, at: number, { secret, ip, denied = false }: Call): AuditEvent {
    const event = structuredClone(modelOf(actor, secret, denied));
    event['@timestamp'] = timeOfMs(at);
    event.event.id = `call-${String(this.events.length).padStart(6, '0')}`;
    event.source = { ip };
    const { caller, request } = event.vault;
    if (event.event.reason === 'login_failed')
      event.user = { id: `user:auth/userpass/${actor.name}`, name: actor.name };
    else {
      const role = actor.role ?? actor.name;
      event.user = { ...event.user, id: entityOf(actor), name: actor.kind === 'service' ? role : actor.name };
      caller.entity_id = entityOf(actor);
      if (actor.kind === 'service') caller.role = role;
      caller.policies = ['default', role];
    }
    if (secret !== undefined) {
      request.path = `secret/data/${secret}`;
      event.vault.secret = { engine: 'kv-v2', path: `secret/${secret}` };
    }
    this.events.push(event);
    return event;
  }

  /** A service: pods with addresses of a range that change each day, each reading its secrets through the hours. */
  service(
    actor: Actor,
    from: number,
    to: number,
    {
      secrets,
      range,
      pods = 3,
      perHour = 2,
    }: { secrets: string[]; range: string; pods?: number; perHour?: number },
  ): void {
    for (let day = from; day < to; day += DAY) {
      const addresses = Array.from({ length: pods }, () => `${range}.${2 + this.below(250)}`);
      for (let hour = day; hour < Math.min(day + DAY, to); hour += HOUR) {
        for (let i = 0; i < perHour; i++) {
          const at = hour + this.below(HOUR);
          const ip = this.oneOf(addresses);
          if (i === 0) this.call(actor, at, { ip });
          this.call(actor, at + 1000, { ip, secret: this.oneOf(secrets) });
        }
      }
    }
  }

  /** A person in the office on working days, 7 to 16 UTC. */
  person(actor: Actor, from: number, to: number, { secrets, ip }: { secrets: string[]; ip: string }): void {
    for (let day = from; day < to; day += DAY) {
      if ([0, 6].includes(new Date(day).getUTCDay())) continue;
      this.call(actor, day + 7 * HOUR + this.below(HOUR), { ip });
      for (let hour = 8; hour < 16; hour++)
        if (this.random() < 0.7)
          this.call(actor, day + hour * HOUR + this.below(HOUR), { ip, secret: this.oneOf(secrets) });
    }
  }

  below(max: number): number {
    return Math.floor(this.random() * max);
  }

  oneOf<T>(values: T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** `user.id` of an actor. */
export const entityOf = ({ name }: Actor): string => `entity-of-${name}`;

function modelOf({ kind }: Actor, secret: string | undefined, denied: boolean): AuditEvent {
  if (secret === undefined) return denied ? models.loginFailed : models[`${kind}Login`];
  return denied ? deniedTo(kind) : models[`${kind}Reads`];
}

/** The sample has denials of people only: a service's is its read with what a denial shows. */
function deniedTo(kind: Actor['kind']): AuditEvent {
  const denial = models.personDenied;
  if (kind === 'person') return denial;
  const event = structuredClone(models.serviceReads);
  event.event = { ...denial.event };
  event.vault.authorization = denial.vault.authorization;
  return event;
}

export const shop: Actor = { name: 'shop', kind: 'service' };
export const billing: Actor = { name: 'billing', kind: 'service' };
export const pipeline: Actor = { name: 'pipeline', kind: 'service' };
export const ann: Actor = { name: 'ann', kind: 'person' };
export const ben: Actor = { name: 'ben', kind: 'person' };
export const eve: Actor = { name: 'eve', kind: 'person' };

export const shopSecrets = ['shop/database', 'shop/api-key', 'shop/mail'];
export const shopHome = { secrets: shopSecrets, range: '10.20.1', pods: 6, perHour: 3 };

/** `weeks` ordinary weeks from `MONDAY` on: two services, a pipeline at working hours, three people. */
export function ordinary(seed: number, weeks = 3): Weeks {
  const key = `${seed} ${weeks}`;
  const made = worlds.get(key) ?? makeOrdinary(seed, weeks);
  worlds.set(key, made);
  return made.copy();
}

const worlds = new Map<string, Weeks>();

function makeOrdinary(seed: number, weeks: number): Weeks {
  const world = new Weeks(seed);
  const end = MONDAY + weeks * 7 * DAY;
  world.service(shop, MONDAY, end, shopHome);
  world.service(billing, MONDAY, end, { secrets: ['billing/database', 'billing/ledger'], range: '10.20.2' });
  for (let day = MONDAY; day < end; day += DAY)
    for (const hour of [8, 9, 11, 14, 15]) {
      const at = day + hour * HOUR + world.below(HOUR);
      world.call(pipeline, at, { ip: '10.30.0.7' });
      world.call(pipeline, at + 500, { ip: '10.30.0.7', secret: 'ci/deploy-key' });
    }
  world.person(ann, MONDAY, end, { secrets: ['team/ann', 'team/shared'], ip: '10.50.0.11' });
  world.person(ben, MONDAY, end, { secrets: ['team/ben', 'team/shared'], ip: '10.50.0.12' });
  world.person(eve, MONDAY, end, { secrets: ['team/eve', 'team/shared'], ip: '10.50.0.13' });
  return world;
}

/** A Wednesday at ten, in the third week. */
export const LATER = MONDAY + 16 * DAY + 10 * HOUR;

/** Weeks in which every behaviour of one identity has something to say. */
export function eventful(seed: number): Weeks {
  const world = ordinary(seed);
  world.call(shop, LATER, { ip: '10.99.7.7', secret: 'shop/api-key' });
  for (let i = 0; i < 30; i++)
    world.call(shop, LATER + i * 1000, { ip: '10.99.7.7', secret: `other/${i}`, denied: i % 2 === 0 });
  for (let i = 0; i < 300; i++)
    world.call(shop, LATER + 3 * HOUR + i * 1000, { ip: '10.20.1.9', secret: world.oneOf(shopSecrets) });
  for (let i = 0; i < 20; i++)
    world.call(ann, LATER - 2 * HOUR + i * 25 * 60_000, { ip: '10.50.0.11', secret: `slow/${i}` });
  for (let i = 0; i < 4; i++)
    world.call(ben, LATER + i * 1000, { ip: '10.50.0.12', secret: `probe/${i}`, denied: true });
  world.call(ben, LATER + 60_000, { ip: '198.51.100.4', secret: 'probe/0' });
  world.call(eve, MONDAY + 15 * DAY + 3 * HOUR, { ip: '10.50.0.13', secret: 'team/eve' });
  world.call(eve, MONDAY + 80 * DAY, { ip: '10.50.0.13', secret: 'team/eve' });
  world.call({ name: 'newcomer', kind: 'service' }, LATER, { ip: '10.20.1.9', secret: 'shop/mail' });
  return world;
}
