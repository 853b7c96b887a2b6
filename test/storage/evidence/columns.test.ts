// What stands in columns: both stores compare these texts, and one of them takes no long ones.

import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { columnText, rowColumns } from '../../../storage/evidence/columns.ts';
import { documentText, opaqueText, rowOf } from '../../../storage/evidence/elasticsearch/document.ts';
import { dayOfIndex, documentId, eventsIndex } from '../../../storage/evidence/elasticsearch/names.ts';
import { anEvent, aToken } from '../../builders.ts';

/** Longest term of Lucene. */
const TERM_BYTES_MAX = 32_766;

describe('the text of a column', () => {
  test.each(['a', '\u20ac', '\u{1F511}'])('of many %s fits into a term', (unit) => {
    const text = columnText(unit.repeat(100_000));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(TERM_BYTES_MAX);
    expect(text.length).toBe(limits.columnCharsMax);
  });

  test('has no NUL and no half of a pair, also where it is cut', () => {
    expect(columnText('a\0b\ud800c\udc00')).toBe('a\uFFFDb\uFFFDc\uFFFD');
    const cut = columnText(`x${'\u{1F511}'.repeat(limits.columnCharsMax)}`);
    expect(cut.at(-1)).toBe('\uFFFD');
    expect(columnText('\u{1F511}')).toBe('\u{1F511}');
  });

  test('stays what it is when it is asked for again', () => {
    for (const text of ['a\0\ud800', '\u{1F511}'.repeat(10_000)]) {
      const once = columnText(text);
      expect(columnText(once)).toBe(once);
    }
  });
});

test('a row has its columns by name, absent ones not at all', () => {
  const { token: _, ...row } = aToken({ id: 'a', token: { policies: ['b', 'a'] } });
  const columns = rowColumns(
    'leases',
    { ...row, token: { policies: ['b', 'a'] } },
    { id: 'token:a', revision: 3 },
  );
  expect(columns).toMatchObject({ id: 'token:a', revision: 3, ttl_s: 3600, policies: '["a","b"]' });
  expect(Object.keys(columns)).not.toContain('ended_at');
});

describe('a document', () => {
  const event = anEvent({ id: 'a' });

  test('gives back the row that went in, as it is and as text', () => {
    for (const make of [documentText, opaqueText]) {
      const source = JSON.parse(make(JSON.stringify(event), { ts: 'x' }));
      expect(source.row).toEqual({ ts: 'x' });
      expect(rowOf(source)).toEqual(event);
    }
  });

  test('has an id that Elasticsearch takes, another for each row', () => {
    const odd = [
      '',
      'a\0',
      '\ud800',
      '\ud801',
      'x'.repeat(513),
      'x'.repeat(514),
      '\u20ac'.repeat(171),
      'sha256:x',
    ];
    const ids = [...odd, ...odd.map(documentId), 'x'.repeat(512), 'plain'].map(documentId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids)
      expect(id.length > 0 && Buffer.byteLength(id) <= 512 && !/[\0\p{Cs}]/u.test(id)).toBe(true);
    expect(documentId('x'.repeat(512))).toBe('x'.repeat(512));
  });
});

test('the index of an event is that of its day, and tells it', () => {
  const index = eventsIndex('a-b', '2026-11-23T23:59:59.999999999Z');
  expect(index).toBe('a-b-events-2026.11.23');
  expect(dayOfIndex('a-b', index)).toBe('2026-11-23');
  for (const other of [
    'a-b-events-2026.11.23-x',
    'a-b-leases',
    'a-events-2026.11.23',
    'a-b-events-x-events-2026.11.23',
  ])
    expect(dayOfIndex('a-b', other)).toBeUndefined();
});
