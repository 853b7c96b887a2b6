// Which calls go to the ledger, and the hashes of their lines that go with them; no token in plain.

import { describe, expect, it } from 'vitest';
import { recordedDevice } from '../../../core/devices.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { CredentialCall } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { CredentialCalls } from '../../../ingest/normalise/credentials.ts';
import { Normaliser, type NormaliserState } from '../../../ingest/normalise/normaliser.ts';
import { anEvent, at } from '../../builders.ts';
import { callOf, type EntryLine, fixtureLines, sampleLines, withRequest } from './lines.ts';

/** What the normaliser tells the ledger of `lines`, in their order. */
function told(lines: (string | EntryLine)[], state?: NormaliserState) {
  const calls: CredentialCall[] = [];
  const texts: string[] = [];
  const ignore = () => {};
  const sink = {
    ...{ event: ignore, answer: ignore, reject: ignore, coverage: ignore, hashes: ignore, node: ignore },
    credential: (call: CredentialCall, text: string) => {
      calls.push(call);
      texts.push(text);
    },
    watermark: ignore,
  };
  const normaliser = new Normaliser(
    {
      partition: 0,
      cluster: 'test',
      devices: [recordedDevice('file', 'test')],
      ...{ pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
      keepsLines: true,
      sink,
    },
    state,
  );
  let offset = 0;
  const intake = new Intake(
    {
      partitions: 1,
      append: (_, __, records) => {
        for (const { kind, head, bytes, value } of records) {
          const payload = Buffer.concat([head ?? Buffer.alloc(0), bytes ?? Buffer.alloc(0)]);
          normaliser.record({ kind, value, bytes: payload, offset: offset++, cause: undefined, text: '' });
        }
      },
    },
    new Redactor(Buffer.alloc(32)),
  );
  const source = intake.source({ device: 'file' });
  for (const line of lines) {
    const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
    intake.line(source, bytes, 0, bytes.length, Number.MAX_SAFE_INTEGER);
  }
  normaliser.finish();
  return { calls, texts, normaliser };
}

const actionsOf = (calls: CredentialCall[]) => calls.map(({ event }) => event.event.action);

describe('the calls of a real Vault that go to the ledger', () => {
  it.each<[string, string[]]>([
    ['login-approle', ['user-login']],
    ['policy', ['policy-write', 'policy-delete']],
    ['wrapping', ['secret-read', 'response-unwrap', 'response-unwrap']],
  ])('%s', (scene, actions) => {
    const { calls } = told(fixtureLines(scene));
    expect([...new Set(actionsOf(calls))]).toEqual([...new Set(actions)]);
  });

  it('of tokens that do nothing else, the first call of each', () => {
    const { calls } = told(fixtureLines('kv-v2'));
    const tokens = calls.map(({ event }) => event.vault.caller.accessor);
    expect(tokens).toEqual([...new Set(tokens)]);
    expect(calls.map(({ onlyFirst }) => onlyFirst)).toEqual([true, true]);
  });

  it.each<[string, string, boolean]>([
    ['read', 'sys/internal/ui/mounts', true],
    ['read', 'sys/internal/ui/mounts/secret', true],
    ['read', 'sys/internal/ui/resultant-acl', false],
    ['read', 'sys/mounts', true],
    ['update', 'sys/auth/approle/tune', true],
    ['update', 'sys/audit-hash/file', true],
    ['update', 'sys/leases/lookup', true],
    ['read', 'identity/entity/id/1', true],
    ['read', 'sys/health', false],
    ['delete', 'sys/namespaces/team', true],
    ['update', 'sys/audit/file', true],
  ])('%s %s: %s', (operation, path, isTold) => {
    const mount = path.startsWith('identity') ? ['identity/', 'identity'] : ['sys/', 'system'];
    const first = callOf('kv-v2', 2);
    const call = withRequest(callOf('kv-v2', 3), {
      ...{ operation, path, mount_point: mount[0], mount_type: mount[1] },
    });
    const { calls } = told([...first, ...call]);
    expect(calls.length).toBe(isTold ? 2 : 1);
  });
});

describe('handles', () => {
  const handlesIn = (scene: string, n: number) => {
    const call = callOf(scene, n);
    return { entry: call[1], handles: told(call).calls[0]?.handles };
  };
  const part = (entry: EntryLine, ...path: string[]) =>
    path.reduce<unknown>((value, key) => (value as JsonObject)?.[key], entry);

  it('of a login are of the token that it gave out', () => {
    const { entry, handles } = handlesIn('login-approle', 0);
    expect(handles).toEqual({ issued: part(entry, 'response', 'auth', 'client_token') });
  });

  it('of a wrapped answer are those of the wrapping token', () => {
    const { entry, handles } = handlesIn('wrapping', 0);
    expect(handles).toEqual({
      sent: part(entry, 'auth', 'client_token'),
      inner: part(entry, 'request', 'client_token'),
      wrap: part(entry, 'response', 'wrap_info', 'token'),
    });
  });

  it('count the uses that were left before the call', () => {
    expect(handlesIn('wrapping', 1).handles?.uses_left).toBe(1);
  });

  it('are never a token in plain, also where the device does not hash', () => {
    const raw = fixtureLines('token-life', 'raw');
    const { calls, texts } = told(raw);
    expect(calls.length).toBeGreaterThan(3);
    expect(calls.every(({ handles }) => Object.keys(handles ?? {}).length > 0)).toBe(true);
    const all = JSON.stringify(calls) + texts.join();
    expect(all).toContain('sealwatch-hmac:');
    expect(all).not.toMatch(/\bhv[sbr]\.[A-Za-z0-9_-]{20}/);
  });
});

describe('first calls of tokens', () => {
  const callAt = (id: string, second: number, accessor: string) => {
    const event = anEvent({ id, time: at(second) });
    event.vault.caller.accessor = accessor;
    return event;
  };
  const entry = { auth: {}, request: {}, response: undefined } as Parameters<CredentialCalls['of']>[1];

  it('are the earliest, whatever comes first', () => {
    const calls = new CredentialCalls();
    const idOf = (id: string, second: number) => calls.of(callAt(id, second, 'one'), entry)?.event.event.id;
    expect([idOf('b', 5), idOf('c', 6), idOf('a', 4), idOf('d', 4)]).toEqual([
      'b',
      undefined,
      'a',
      undefined,
    ]);
  });

  it('are known over a restart, to a bound', () => {
    const calls = new CredentialCalls();
    for (let n = 0; n <= limits.credentialTokensMax; n++) calls.of(callAt(`${n}`, n, `token-${n}`), entry);
    const again = new CredentialCalls(calls.snapshot());
    expect(calls.snapshot()).toHaveLength(limits.credentialTokensMax);
    expect(again.of(callAt('x', 99_999, 'token-1'), entry)).toBeUndefined();
    expect(again.of(callAt('x', 99_999, 'token-0'), entry)?.onlyFirst).toBe(true);
  });

  it('are few among the calls of ordinary life', () => {
    const { calls } = told(sampleLines());
    const first = calls.filter(({ onlyFirst }) => onlyFirst);
    expect(first.length).toBeLessThan(calls.length / 2);
  });
});
