// What makes an event evidence: its hash proves the lines, its text is the one canonical text of it.

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../core/canonical.ts';
import { type EntryLine, fixtureLines, type Made, made, sampleLines } from './lines.ts';

const idOf = (line: string) => (JSON.parse(line) as EntryLine).request['id'];
const sha = (lines: string[]) =>
  createHash('sha256')
    .update(lines.map((line) => `${line}\n`).join(''))
    .digest('hex');

const scenes = readdirSync('test/fixtures/vault-1.21.1/default').map((name) => name.replace('.jsonl', ''));
const inputs: [string, string[]][] = [
  ...['default', 'plain-accessor'].flatMap((device) =>
    scenes.map((scene): [string, string[]] => [`${device}/${scene}`, fixtureLines(scene, device)]),
  ),
  ['deploy/sample', sampleLines()],
];

const results = new Map<string, Made>();
const resultOf = (name: string, lines: string[]): Made => {
  const result = results.get(name) ?? made(lines);
  results.set(name, result);
  return result;
};

describe.each(inputs)('%s', (name, lines) => {
  it('the hash of each event is the SHA-256 of its lines, as grep and sha256sum give it', () => {
    const { events } = resultOf(name, lines);
    expect(events.length).toBeGreaterThan(0);
    for (const { event, vault } of events) {
      const own = lines.filter((line) => idOf(line) === vault.request.id);
      // Without a request id each line is a call of its own, named by its hash.
      if (vault.request.id === undefined) expect(event.id).toBe(`line-${event.hash}`);
      else expect(event.hash).toBe(sha(own));
    }
  });

  it('each line is in exactly one event', () => {
    const { events, rejects, counts } = resultOf(name, lines);
    expect(rejects).toEqual([]);
    const halves = events.reduce((sum, { vault }) => sum + (vault.pair === 'both' ? 2 : 1), 0);
    expect(halves).toBe(lines.length);
    expect(counts['file']).toMatchObject({ received: lines.length, duplicate: 0, late: 0, dropped: 0 });
  });

  it('the text that is stored is canonical JSON, and all but data stands in that order already', () => {
    const { versions, texts } = resultOf(name, lines);
    for (const [i, event] of versions.entries()) {
      expect(texts[i]).toBe(canonicalJson(event));
      const { request, response, ...vault } = event.vault;
      const bare = {
        ...event,
        vault: { ...vault, request: { ...request, data: undefined }, response: undefined },
      };
      expect(Object.keys(event.vault)).toEqual(Object.keys(event.vault).sort());
      expect(JSON.stringify({ ...bare, vault: null })).toBe(canonicalJson({ ...bare, vault: null }));
      expect(JSON.stringify(bare.vault.request)).toBe(canonicalJson(bare.vault.request));
      expect(JSON.stringify(vault)).toBe(canonicalJson(vault));
      expect(Object.keys(response ?? {})).toEqual(Object.keys(response ?? {}).sort());
    }
  });
});

describe('data whose keys are not in canonical order', () => {
  const odd = ['{"b":1,"a":2}', '{"10":1,"9":2,"a":3}', '{"a":[{"z":1,"y":{"2":1,"1":2}}]}', '{"é":1,"z":2}'];

  it.each(odd)('%s is written in order', (data) => {
    const lines = fixtureLines('kv-v1-read').map((line) =>
      line.replace('"request":{', `"request":{"data":${data},`),
    );
    const { events, texts } = made(lines);
    expect(events).toHaveLength(1);
    expect(texts[0]).toContain(`"data":${canonicalJson(JSON.parse(data))}`);
    expect(texts[0]).toBe(canonicalJson(events[0]));
  });
});

describe('a secret of the line', () => {
  it('is gone before the hash is taken: the hash is that of the scrubbed line', () => {
    const token = 'hvs.EXAMPLEexampleEXAMPLE0002';
    const plain = fixtureLines('policy').slice(0, 2);
    const leaky = plain.map((line) => line.replace('"curl/8.5.0"', JSON.stringify(`curl ${token}`)));
    const { events, texts, counts } = made(leaky);
    expect(texts.join()).not.toContain(token);
    expect(events[0]?.event.hash).not.toBe(sha(leaky));
    expect(counts['file']?.scrubbed).toBe(2);
  });

  it('is counted where the line itself could not be kept', () => {
    const { events, counts } = made(['{"auth":{"client_token":"hvs.EXAMPLEexampleEXAMPLE0002"']);
    expect(events).toEqual([]);
    expect(counts['file']).toMatchObject({ rejected: 1, scrubbed: 1, token_in_plain: 1 });
  });
});
