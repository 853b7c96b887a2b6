// What two devices call one token or accessor, and what follows from it on read (decision 0011).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HashPair } from '../../../core/records.ts';
import { openEvidenceReader } from '../../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../../storage/evidence/embedded/writer.ts';
import { Harness } from '../../api/harness.ts';
import { batchOf } from '../../contract/evidence-store.ts';
import { callOf, type EntryLine, without } from './lines.ts';
import { device, resalted, Several } from './several.ts';

const twoDevices = () => new Several({ devices: [device('file', { isFile: true }), device('tcp')] });
const hashIn = (entry: EntryLine, member = 'accessor') => String(entry.auth?.[member]);
const pairsOf = (run: Several) =>
  run.hashes.map(({ what, ranked, other }) => [what, ranked.hash, other.hash]);

/** A call under an id of its own, on the devices as they are salted; the other device says it again in its own words. */
function show(run: Several, call: EntryLine[], id: string, salts: [name: string, salt: number][]): void {
  for (const [name, salt] of salts)
    for (const entry of call)
      run.line(name, resalted({ ...entry, request: { ...entry.request, id } } as EntryLine, salt));
}

const read = callOf('kv-v1-read');
const login = callOf('login-approle');

describe('a call that two devices showed', () => {
  it('tells accessor and token of the caller, once', () => {
    const run = twoDevices();
    for (const id of ['a', 'b', 'c'])
      show(run, read, id, [
        ['file', 0],
        ['tcp', 3],
      ]);
    const other = resalted(read[1], 3);
    expect(pairsOf(run)).toEqual([
      ['accessor', hashIn(read[1]), hashIn(other)],
      ['token', hashIn(read[1], 'client_token'), hashIn(other, 'client_token')],
    ]);
    expect(run.hashes[0]).toMatchObject({
      ranked: { device: 'file' },
      other: { device: 'tcp' },
      at: read[1].time,
    });
    expect(new Set(run.hashes.map(({ id }) => id)).size).toBe(2);
  });

  it('tells the accessor of the token that it gave out, plain or wrapped', () => {
    const run = twoDevices();
    show(run, login, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    expect(pairsOf(run)).toContainEqual(['accessor', hashIn(login[1]), hashIn(resalted(login[1], 3))]);
    const wrapping = callOf('wrapping');
    const wrapped = (entry: EntryLine) =>
      String((entry.response?.['wrap_info'] as EntryLine['auth'])?.['accessor']);
    show(run, wrapping, 'b', [
      ['file', 0],
      ['tcp', 3],
    ]);
    expect(wrapped(wrapping[1])).toMatch(/^hmac-sha256:/);
    expect(pairsOf(run)).toContainEqual([
      'accessor',
      wrapped(wrapping[1]),
      wrapped(resalted(wrapping[1], 3)),
    ]);
  });

  it('is ranked the same whichever device was first', () => {
    const [one, two] = [twoDevices(), twoDevices()];
    show(one, read, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    show(two, read, 'a', [
      ['tcp', 3],
      ['file', 0],
    ]);
    expect(two.hashes).toEqual(one.hashes);
  });

  it.each<[string, (entry: EntryLine) => EntryLine]>([
    ['another order of keys', (entry) => Object.fromEntries(Object.entries(entry).reverse()) as EntryLine],
    [
      'a time with fewer digits, first',
      ({ time: _, ...entry }) => ({ time: '2026-11-23T02:01:46.5Z', ...entry }) as EntryLine,
    ],
    [
      'a list that is elided',
      (entry) => ({ ...entry, response: { ...entry.response, data: { keys: 3 } } }) as EntryLine,
    ],
    ['other headers before it', (entry) => ({ aaa: 'accessor', ...entry }) as EntryLine],
  ])('the other device’s line with %s', (_, edit) => {
    const run = twoDevices();
    for (const entry of read) run.line('file', entry);
    for (const entry of read) run.line('tcp', edit(resalted(entry, 3)));
    expect(pairsOf(run).map(([, , other]) => other)).toEqual([
      hashIn(resalted(read[1], 3)),
      hashIn(resalted(read[1], 3), 'client_token'),
    ]);
  });

  it('joins a plain accessor with its hash, and no plain one with itself', () => {
    const plain = callOf('kv-v1-read', 0, 'plain-accessor');
    const hashed = resalted(read[1], 5);
    const run = twoDevices();
    for (const entry of plain) run.line('file', entry);
    for (const entry of read)
      run.line(
        'tcp',
        resalted({ ...entry, request: { ...entry.request, id: plain[0].request['id'] as string } }, 5),
      );
    expect(pairsOf(run)[0]).toEqual(['accessor', hashIn(plain[1]), hashIn(hashed)]);
    const same = twoDevices();
    show(same, plain, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    expect(same.hashes.map(({ what }) => what)).toEqual(['token']);
  });

  it('of a batch token, which has no accessor, tells the token', () => {
    const batch = read.map(
      (entry) =>
        ({
          ...entry,
          auth: { ...without(entry.auth, 'accessor'), token_type: 'batch' },
          request: without(entry.request, 'client_token_accessor'),
        }) as EntryLine,
    );
    const run = twoDevices();
    show(run, batch, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    show(run, batch, 'b', [
      ['file', 0],
      ['tcp', 3],
    ]);
    expect(run.hashes.map(({ what }) => what)).toEqual(['token']);
  });

  it('teaches nothing when anybody could have written one of the lines', () => {
    const run = new Several({ devices: [device('file'), device('udp', { origin: 'unprovable' })] });
    show(run, read, 'a', [
      ['file', 0],
      ['udp', 3],
    ]);
    expect(run.versions).toHaveLength(1);
    expect(run.hashes).toEqual([]);
  });

  it('after a restart what was told is known, and nothing changes in what goes out', () => {
    const run = twoDevices();
    show(run, read, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    run.restart();
    show(run, read, 'b', [
      ['file', 0],
      ['tcp', 3],
    ]);
    expect(run.hashes).toHaveLength(2);
  });

  it('two nodes of one device have one salt: there is nothing to tell', () => {
    const run = new Several({ devices: [device('file', { hasManyNodes: true })] });
    for (const node of ['n1', 'n2']) for (const entry of read) run.line('file', entry, node);
    run.finish();
    expect(run.versions).toHaveLength(1);
    expect(run.hashes).toEqual([]);
  });
});

describe('salt epochs', () => {
  /** A device is disabled and enabled again, which gives it a new salt; then the other one. */
  function epochs(): Several {
    const run = twoDevices();
    show(run, read, 'a', [
      ['file', 0],
      ['tcp', 3],
    ]);
    show(run, read, 'b', [
      ['file', 7],
      ['tcp', 3],
    ]);
    show(run, read, 'c', [
      ['file', 7],
      ['tcp', 9],
    ]);
    return run;
  }

  it('each pair goes on from the one before', () => {
    const accessor = (salt: number) => hashIn(resalted(read[1], salt));
    const of = ({ ranked, other }: HashPair) => [ranked.hash, other.hash];
    expect(
      epochs()
        .hashes.filter(({ what }) => what === 'accessor')
        .map(of),
    ).toEqual([
      [accessor(0), accessor(3)],
      [accessor(7), accessor(3)],
      [accessor(7), accessor(9)],
    ]);
  });

  it('the events keep what the first-ranked device showed, and an identity is all of them', async () => {
    const run = epochs();
    const ids = [0, 7].map((salt) => `token:${hashIn(resalted(read[1], salt))}`);
    // The caller of the recording has an entity: without it the token is the identity.
    expect(run.versions.map(({ vault }) => `token:${vault.caller.accessor}`)).toEqual([
      ids[0],
      ids[1],
      ids[1],
    ]);
    const events = run.versions.map((event) => {
      const own = { ...event, user: { ...event.user, id: `token:${event.vault.caller.accessor}` } };
      return { event: own, text: JSON.stringify(own) };
    });
    await using api = await Harness.open(batchOf({ events, hashes: run.hashes }));
    for (const id of ids) {
      const answer = await api.get(`/v1/identities/${encodeURIComponent(id)}`, 'analyst');
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ id, events: 3 });
      expect(answer.json().ids).toEqual(expect.arrayContaining(ids));
      expect(answer.json().last_events).toHaveLength(3);
      expect(answer.json().actions).toMatchObject([{ n: 3 }]);
    }
    const stranger = await api.get('/v1/identities/token%3Ahmac-sha256%3A00', 'analyst');
    expect(stranger.statusCode).toBe(404);
  });

  it('the store follows them from either end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwatch-hashes-'));
    const path = join(folder, 'evidence.db');
    await using writer = openEvidenceWriter(path);
    await writer.write(batchOf({ hashes: epochs().hashes }));
    await using reader = openEvidenceReader(path);
    const all = [0, 3, 7, 9].map((salt) => hashIn(resalted(read[1], salt))).sort();
    for (const hash of all) expect(await reader.sameHashes(hash)).toEqual(all);
    rmSync(folder, { recursive: true });
  });
});
