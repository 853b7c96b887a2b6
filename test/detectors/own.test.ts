// Who goes by sealwatch's own name: its token and its declared calls are its own, all else is a critical alert (guarantee 9).

import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/canonical.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { OwnTraffic } from '../../detectors/engine/own.ts';
import { anEvent, at } from '../builders.ts';

const ENTITY = 'entity-sealwatch';
const HELD = 'hmac-sha256:held';

/** A call by sealwatch's entity; a look-up of its own token unless `parts` say otherwise. */
function call(
  second: number,
  parts: { accessor?: string; operation?: string; path?: string } = {},
): AuditEvent {
  const { accessor = HELD, operation = 'read', path = 'auth/token/lookup-self' } = parts;
  const event = anEvent({
    id: `call-${second}`,
    time: at(second),
    user: ENTITY,
    action: 'token-lookup',
    path,
  });
  event.vault.caller = { ...event.vault.caller, accessor, entity_id: ENTITY };
  event.vault.request.operation = operation;
  return event;
}
const token = (second: number, accessor = HELD) => ({
  id: `own-${accessor}`,
  accessor,
  at: at(second),
  cluster: 'test',
  entity_id: ENTITY,
  proof: 'login',
});

type Step = AuditEvent | ReturnType<typeof token> | { ledger: number } | 'restart';

function alertsOf(...steps: Step[]) {
  let own = new OwnTraffic('test');
  const last = new Map<string, ReturnType<OwnTraffic['take']>[number]['body']>();
  for (const step of steps) {
    if (step === 'restart') own = new OwnTraffic('test', JSON.parse(JSON.stringify(own.snapshot())));
    else if ('ledger' in step) own.ledger(at(step.ledger));
    else if ('accessor' in step) own.own(step);
    else own.event(step);
    for (const { body } of own.take()) last.set(body.alert.id, body);
  }
  return [...last.values()];
}
const LATER = { ledger: 10_000 };

describe('calls by the identity of sealwatch', () => {
  test('with its token and on its list raise nothing, whichever is heard of first', () => {
    expect(alertsOf(token(0), call(1), LATER)).toEqual([]);
    expect(alertsOf(token(0), call(1, { accessor: 'next' }), token(1, 'next'), LATER)).toEqual([]);
  });

  test.each([
    ['a secret', 'read', 'secret/data/app'],
    ['a revocation', 'update', 'sys/leases/revoke'],
    ['a token for somebody', 'update', 'auth/token/create'],
  ])('with its token but off its list, %s, are a critical alert at once', (_, operation, path) => {
    const [alert, ...others] = alertsOf(token(0), call(1, { operation, path }));
    expect(alert).toMatchObject({
      rule: { level: 'critical' },
      evidence: { event_ids: ['call-1'] },
      user: { id: ENTITY },
      alert: { count: 1, late: false },
    });
    expect(alert?.message).toContain(path);
    expect(others).toEqual([]);
  });

  test('off its list are an alert too when the token is told after them', () => {
    const secret = call(1, { path: 'secret/data/app' });
    const others = Array.from({ length: limits.ownRecentCallsMax - 1 }, (_, i) =>
      anEvent({ id: `other-${i}`, time: at(2) }),
    );
    const [alert, ...more] = alertsOf(secret, ...others, token(0), secret, token(50, 'next'), LATER);
    expect(alert).toMatchObject({ alert: { count: 1 }, evidence: { event_ids: ['call-1'] } });
    expect(more).toEqual([]);
  });

  test('with a token that was not told are an alert when the ledger has passed them, not before', () => {
    const foreign = call(100, { accessor: 'stolen' });
    expect(alertsOf(token(0), foreign, { ledger: 100 + limits.ownTokenSeconds - 1 })).toEqual([]);
    expect(alertsOf(token(0), foreign, { ledger: 100 + limits.ownTokenSeconds })).toHaveLength(1);
  });

  test('with a token that a newer login has replaced are an alert', () => {
    const steps = [token(0), token(50, 'next')];
    expect(alertsOf(...steps, call(55), LATER)).toEqual([]);
    expect(alertsOf(...steps, call(51 + limits.ownTokenSeconds), LATER)).toHaveLength(1);
  });

  test('of several processes with one login: each token holds until the next of its own process', () => {
    const of = (holder: string, second: number, accessor: string) => ({ ...token(second, accessor), holder });
    const steps = [of('serve', 0, HELD), of('ledger', 1, 'other'), of('serve', 500, 'next')];
    expect(alertsOf(...steps, call(400), call(600, { accessor: 'other' }), LATER)).toEqual([]);
    expect(alertsOf(...steps, 'restart', call(501 + limits.ownTokenSeconds), LATER)).toHaveLength(1);
  });

  test('are counted once, whole after half, and alike after a restart', () => {
    const stolen = call(100, { accessor: 'stolen', path: 'secret/data/app' });
    const half: AuditEvent = { ...stolen, vault: { ...stolen.vault, revision: 1, pair: 'request_only' } };
    const waiting = call(101, { accessor: 'stolen' });
    const plain = alertsOf(token(0), half, stolen, waiting, LATER);
    expect(plain).toMatchObject([{ alert: { count: 2 }, evidence: { event_ids: ['call-100', 'call-101'] } }]);
    const restarted = alertsOf(token(0), 'restart', half, 'restart', stolen, waiting, 'restart', LATER);
    expect(canonicalJson(restarted)).toBe(canonicalJson(plain));
  });

  test('of other identities are nothing of ours', () => {
    const other = anEvent({ id: 'other', user: 'entity-2' });
    other.vault.caller.entity_id = 'entity-2';
    expect(alertsOf(token(0), other, LATER)).toEqual([]);
  });
});
