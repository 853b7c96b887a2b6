// Every rule of ours is Sigma that others read: pySigma parses it and writes queries for Elasticsearch and Splunk.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Converted, pySigmaQueries } from './engines.ts';

const folder = join('detectors', 'rules');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yml'))
  .sort();

/** What a backend cannot say at all, by what it answers; everything else must become a query. */
const unsupported: Record<string, RegExp> = {
  lucene: /^NotImplementedError: Backend does not support correlation rules\.$/,
};

let converted: Converted[];

it('parses every rule and correlation, with our own attributes', () => {
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  converted = pySigmaQueries(texts);
  expect(converted.filter(({ error }) => error !== undefined)).toEqual([]);
  const titles = texts.flatMap((text) => [...text.matchAll(/^title: (.+)$/gm)].map(([, title]) => title));
  expect(converted.map(({ title }) => title)).toEqual(titles);
  expect(titles.length).toBeGreaterThan(12);
});

it('writes a query of each rule for Elasticsearch (Lucene, ES|QL) and Splunk', () => {
  for (const { errors, kind, queries, title } of converted) {
    for (const backend of ['lucene', 'esql', 'splunk']) {
      const told = `${title} for ${backend}: ${errors[backend] ?? JSON.stringify(queries[backend])}`;
      if (kind === 'correlation' && unsupported[backend] !== undefined)
        expect(errors[backend], told).toMatch(unsupported[backend]);
      else expect(String(queries[backend]?.[0] ?? '').length, told).toBeGreaterThan(10);
    }
  }
});
