// The truth test on the record of a real Vault: at every checkpoint the ledger equals what Vault listed (test/real/ledger/).

import { afterAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../../core/lease.ts';
import type { Answer } from '../../../core/records.ts';
import { logOf, ReplayFolder, rowsOf } from '../../commands/replay-run.ts';
import { type Comparison, compareWithTruth } from '../../real/ledger/compare.ts';
import { recordedAnswers, recordedCheckpoints, recordedLog, withoutOwnCalls } from './recorded.ts';

const folder = new ReplayFolder();
afterAll(() => folder[Symbol.dispose]());
const checkpoints = recordedCheckpoints();

async function replayed(lines: string[], answers?: Answer[]): Promise<Lease[]> {
  const told = answers?.map((answer) => JSON.stringify(answer));
  const result = await folder.run([logOf('audit.jsonl', lines)], {}, told && logOf('answers.jsonl', told));
  return rowsOf(result['leases.jsonl']);
}

/** A recorded log counts as that of the device `file`: the hashes of the other device are given that name. */
const ofOtherDevice = (answers: Answer[]): Answer[] =>
  answers.flatMap((answer) => {
    if (answer.path === 'sys/audit-hash/file') return [];
    return answer.path === 'sys/audit-hash/sealwatch'
      ? [{ ...answer, path: 'sys/audit-hash/file' }]
      : [answer];
  });

function comparison(rows: Lease[], index: number, isPlain: boolean): Comparison {
  const checkpoint = checkpoints[index]!;
  const hashes = new Map(checkpoint.tokens.map(({ accessor, hash }) => [accessor, hash]));
  return compareWithTruth(rows, checkpoint, (accessor) => (isPlain ? accessor : hashes.get(accessor)));
}

const everyCheckpoint = checkpoints.map((_, index) => index);

describe.each([
  ['accessors hashed', false, () => replayed(recordedLog('audit'), recordedAnswers())],
  ['accessors plain', true, () => replayed(recordedLog('plain-accessor'), ofOtherDevice(recordedAnswers()))],
] as const)('with the answers of Vault, %s', (_, isPlain, replay) => {
  const rows = replay();

  it.each(everyCheckpoint)('at checkpoint %i every lease and token is as Vault lists it', async (index) => {
    const { differences, leases, tokens, ends, undecided } = comparison(await rows, index, isPlain);
    expect(differences.map(({ what, text }) => `${what}: ${text}`)).toEqual([]);
    expect(leases).toBeGreaterThan(340);
    expect(tokens).toBeGreaterThan(130);
    expect(ends).toBeGreaterThan(100);
    expect(undecided).toBeLessThan(30);
  });

  it('and ended by what the play did to it', async () => {
    const ends: Record<string, string[]> = {};
    for (const { path = '', end_reason = 'alive' } of await rows) {
      const reasons = ends[path] ?? [];
      ends[path] = [...reasons, end_reason];
    }
    for (const reasons of Object.values(ends)) reasons.sort();
    expect(ends).toMatchObject({
      'gone-db/creds/hour': Array(5).fill('mount_removed'),
      'moved-db/creds/hour': Array(3).fill('mount_removed'),
      'stuck-db/creds/hour': Array(4).fill('revoke_prefix'),
      'auth/temp/login/carol': Array(3).fill('mount_removed'),
      'auth/userpass/login/bob': Array(3).fill('revoke_prefix'),
      'database/creds/fast': Array(32).fill('expired'),
      'database/creds/short': Array(28).fill('expired'),
      'database/creds/night0': ['alive', ...Array(4).fill('revoke_prefix')],
      'database/creds/night0-watch': ['alive', 'alive'],
    });
    // 16 families of which a parent ended, three with orphans, and what brief, batch, used up and unmounted logins left behind.
    expect(ends['database/creds/hour']?.filter((reason) => reason === 'parent_ended').length).toBeGreaterThan(
      60,
    );
    expect(ends['database/creds/hour']?.filter((reason) => reason === 'revoked').length).toBeGreaterThan(25);
    expect(
      (await rows).filter(({ kind, end_reason }) => kind === 'lease' && end_reason === 'unknown'),
    ).toEqual([]);
  });
});

describe.each([
  ['accessors hashed', false, 'audit'],
  ['accessors plain', true, 'plain-accessor'],
] as const)('when Vault may not be asked at all, %s', (_, isPlain, device) => {
  const rows = replayed(withoutOwnCalls(recordedLog(device)));

  it.each(everyCheckpoint)('at checkpoint %i nothing that lives is unknown or ended', async (index) => {
    const { differences } = comparison(await rows, index, isPlain);
    const wrong = differences.filter(({ what }) => what === 'unknown' || what === 'dead' || what === 'end');
    expect(wrong).toEqual([]);
  });

  it.each(everyCheckpoint)(
    'at checkpoint %i every token is as Vault lists it, but where no line tells',
    async (index) => {
      const { differences } = comparison(await rows, index, isPlain);
      const tokens = differences.filter(({ id }) => id.startsWith('token:'));
      // Two wrapped tokens that nobody opens: no line has their lifetime.
      expect(tokens.filter(({ what }) => what === 'no_end').length).toBeLessThanOrEqual(2);
      // Where accessors are plain, what is revoked by accessor is a hash that only Vault could explain.
      if (!isPlain) expect(tokens.filter(({ what }) => what === 'alive')).toEqual([]);
    },
  );

  it('leases say that their lifetime is not known, and no number is made up', async () => {
    const leases = (await rows).filter(({ kind }) => kind === 'lease');
    expect(leases.length).toBeGreaterThan(360);
    const told = leases.filter(({ ttl_source }) => ttl_source !== 'unknown');
    // Four of them were looked up by their holders.
    expect(told.map(({ ttl_source, ttl_s }) => [ttl_source, ttl_s])).toEqual(
      Array(4).fill(['audit_lookup', 1234]),
    );
    for (const lease of leases)
      if (lease.ttl_source === 'unknown')
        expect([lease.ttl_s, lease.expires_at]).toEqual([undefined, undefined]);
  });
});
