// Which questions the directory raises, and when it raises one again.

import { describe, expect, it } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import type { Question } from '../../../../core/records.ts';
import { addSeconds } from '../../../../core/time.ts';
import { Questions } from '../../../../ingest/ledger/directory/questions.ts';
import { at } from '../../../builders.ts';
import { MapMemory } from '../memory.ts';
import { recordedAnswers, recordedEvents, World } from './world.ts';

const path = 'auth/approle/role/app';

/** When the wishes of `steps` led to a question. */
function asked(steps: (questions: Questions) => void): string[] {
  const out: Question[] = [];
  steps(new Questions(new MapMemory(), (question) => out.push(question)));
  expect(out.every((question) => question.path === path && question.need === 'directory')).toBe(true);
  return out.map((question) => question.at);
}
const wish = (second: number, more = {}) => ({ namespace: '', path, at: at(second), ...more });

describe('a question', () => {
  it('is asked once while it waits, and never again when it was answered', () => {
    expect(
      asked((questions) => {
        questions.want(wish(0));
        questions.want(wish(1));
        expect(questions.answered('', path, at(2), 'told')).toBe(true);
        questions.want(wish(limits.directoryRefusedSeconds * 2));
      }),
    ).toEqual([at(0)]);
  });

  it('that nobody answers is asked again, each time after twice the time, a day at most', () => {
    const times = asked((questions) => {
      for (let second = 0; second < 5 * 86_400; second += 60) questions.want(wish(second));
    });
    const retry = limits.directoryRetrySeconds;
    expect(times.slice(0, 4)).toEqual([at(0), at(retry), at(3 * retry), at(7 * retry)]);
    const pauses = times.slice(1).map((time, i) => Date.parse(time) - Date.parse(times[i] as string));
    expect(Math.max(...pauses)).toBe(limits.directoryRefusedSeconds * 1000);
  });

  it('that Vault refuses rests for a day', () => {
    const rest = limits.directoryRefusedSeconds;
    expect(
      asked((questions) => {
        questions.want(wish(0));
        questions.answered('', path, at(1), 'refused');
        for (const second of [2, rest - 1, rest]) questions.want(wish(second));
      }),
    ).toEqual([at(0), at(rest)]);
  });

  it('whose subject changes is asked again; while it waits, when an answer comes that is older than the change', () => {
    expect(
      asked((questions) => {
        questions.want(wish(0));
        questions.want(wish(5, { changed: at(5) }));
        expect(questions.answered('', path, at(4), 'told')).toBe(false);
        questions.want(wish(6));
        expect(questions.answered('', path, at(7), 'told')).toBe(true);
        questions.want(wish(8, { changed: at(5) }));
        questions.want(wish(9, { changed: at(9) }));
      }),
    ).toEqual([at(0), at(5), at(9)]);
  });

  it('is not asked for ever of a recording that has nothing newer', () => {
    expect(
      asked((questions) => {
        questions.want(wish(5, { changed: at(5) }));
        for (let n = 6; n < 10; n++) {
          expect(questions.answered('', path, at(1), 'told')).toBe(false);
          questions.want(wish(n, { changed: at(5) }));
        }
      }),
    ).toEqual([at(5)]);
  });

  it('about what is gone is not asked, until it is there again', () => {
    expect(
      asked((questions) => {
        questions.want(wish(0));
        questions.gone('', path, at(1));
        expect(questions.answered('', path, at(0), 'told')).toBe(false);
        questions.want(wish(2));
        questions.want(wish(3, { changed: at(3) }));
      }),
    ).toEqual([at(0), at(3)]);
  });

  it('is asked in its namespace, and names it', () => {
    const out: Question[] = [];
    const questions = new Questions(new MapMemory(), (question) => out.push(question));
    questions.want(wish(0));
    questions.want({ ...wish(0), namespace: 'team-a/' });
    expect(out).toEqual([
      { at: at(0), method: 'GET', path, need: 'directory' },
      { at: at(0), method: 'GET', path, need: 'directory', namespace: 'team-a/' },
    ]);
  });
});

describe('the recording', () => {
  const events = recordedEvents();
  const paths = (world: World) => world.questions.map((question) => question.path);

  it('raises mounts, policies, roles at their first login or lease, entities, and groups of entities', () => {
    const asked = new Set(
      paths(World.recorded()).map((text) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID')),
    );
    expect([...asked].sort()).toEqual([
      'auth/approle/role/orders-api',
      'auth/token/roles/ci',
      'auth/userpass/users/alice',
      'auth/userpass/users/bob',
      'database/roles/old',
      'database/roles/readonly',
      'identity/entity/id/ID',
      'identity/group/id/ID',
      'pki/roles/web',
      'sys/auth',
      'sys/mounts',
      'sys/policies/acl/default',
      'sys/policies/acl/gone',
      'sys/policies/acl/orders',
      'sys/policies/acl/team',
    ]);
  });

  it('asks for a role that a login went by, though nobody has written it', () => {
    const login = events.find(({ vault }) => vault.request.path === 'auth/approle/login');
    expect(paths(new World().play([login as (typeof events)[0]]))).toContain('auth/approle/role/orders-api');
  });

  it('asks for the lists of mounts once a day of event time', () => {
    const [call] = events.filter(({ vault }) => vault.request.path === 'auth/userpass/users/alice');
    const answers = recordedAnswers()
      .filter((answer) => answer.path === 'sys/mounts')
      .slice(0, 1);
    const world = new World();
    for (let hour = 0; hour < 72; hour++) {
      const event = structuredClone(call as (typeof events)[0]);
      event.event.action = 'role-list';
      event.vault.request.operation = 'list';
      event['@timestamp'] = addSeconds(event['@timestamp'], hour * 3600);
      world.play([event]);
      for (const answer of answers) world.directory.answer({ ...answer, at: event['@timestamp'] });
    }
    expect(paths(world).filter((text) => text === 'sys/mounts')).toHaveLength(3);
  });

  it('passes over what is no answer to the directory', () => {
    const world = new World().play(events);
    const before = world.facts.length;
    const answer = recordedAnswers().find((one) => one.path === 'sys/mounts');
    for (const other of [
      { purpose: 'heartbeat' as const },
      { method: 'POST' },
      { status: 0 },
      { status: 503 },
      { status: 403 },
      { at: 'no time' },
      { response: {} },
      { response: { data: ['secret/'] } },
      { path: 'auth/token/lookup-self' },
      { path: 'identity/entity/name/x' },
    ])
      world.directory.answer({ ...(answer as NonNullable<typeof answer>), ...other });
    expect(world.facts).toHaveLength(before);
  });
});
