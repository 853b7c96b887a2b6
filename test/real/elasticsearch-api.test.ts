// Every route of the API over Elasticsearch and over SQLite with the same rows: the same answers, byte for byte.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvidenceReader } from '../../core/ports.ts';
import { Harness } from '../api/harness.ts';
import { type OwnPrefix, ownPrefix } from './elasticsearch.ts';
import { elasticsearchStore } from './elasticsearch-fixture.ts';
import { type Question, questionsOf } from './equal/questions.ts';
import { logsInRepository, recordedRows } from './equal/recorded.ts';

const batch = recordedRows(logsInRepository());
const questions = questionsOf(batch);
const asked = new Map<string, Set<string>>();

let own: OwnPrefix;
let reader: EvidenceReader;
let embedded: Harness;
let elastic: Harness;

beforeAll(async () => {
  own = await ownPrefix('api');
  const store = elasticsearchStore(own);
  const writer = await store.openWriter();
  await writer.write(batch);
  await writer[Symbol.asyncDispose]();
  await store.refresh();
  reader = await store.openReader();
  embedded = await Harness.open(batch);
  elastic = await Harness.open(undefined, { reader });
});
afterAll(async () => {
  await embedded[Symbol.asyncDispose]();
  await elastic[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});

const urlOf = ({ route, id = '', query }: Question) =>
  `${route.replace(/\{\w+\}/, encodeURIComponent(id))}?${new URLSearchParams(query)}`;

/** What a store answers, down to the last byte. */
async function answerOf(harness: Harness, url: string) {
  const { statusCode, headers, body } = await harness.get(url);
  return {
    ...{ url, status: statusCode, type: headers['content-type'], body },
    ...(statusCode >= 500 && { log: harness.log.at(-2) }),
  };
}

/** Both are asked; of a walk each page, by the cursor that both have given. Returns how many answers were compared. */
async function compare(question: Question): Promise<number> {
  const used = asked.get(question.route) ?? new Set();
  asked.set(question.route, used);
  let { query } = question;
  for (let pages = 1; ; pages++) {
    for (const name of Object.keys(query)) used.add(name);
    const url = urlOf({ ...question, query });
    const [ours, theirs] = await Promise.all([answerOf(embedded, url), answerOf(elastic, url)]);
    expect(theirs).toEqual(ours);
    expect([200, 404]).toContain(ours.status);
    const next = question.walk && (JSON.parse(ours.body) as { next_cursor?: string | null }).next_cursor;
    if (typeof next !== 'string') return pages;
    query = { ...query, cursor: next };
  }
}

const routes = [...new Set(questions.map(({ route }) => route))];

describe('the same rows in both stores', () => {
  test.each(routes)('%s', async (route) => {
    let answers = 0;
    for (const question of questions.filter((one) => one.route === route)) answers += await compare(question);
    expect(answers).toBeGreaterThan(0);
  });

  test('every route and every parameter of the API was asked', async () => {
    const { paths } = (await embedded.get('/openapi.json')).json() as { paths: Paths };
    const wanted = Object.entries(paths).flatMap(([path, { get }]) =>
      get !== undefined && path.startsWith('/v1') ? [[path, parametersOf(get)] as const] : [],
    );
    expect(wanted.length).toBeGreaterThan(15);
    expect(routes.map((route) => [route, [...(asked.get(route) ?? [])].sort()]).sort()).toEqual(
      wanted.map(([path, names]) => [path, names.sort()]).sort(),
    );
  });

  test('there was something to ask', () => {
    const rows = Object.entries(batch).map(([kind, list]) => [kind, list.length > 0]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.keys(batch).map((kind) => [kind, true])),
    );
  });
});

type Paths = Record<string, { get?: Operation }>;
interface Operation {
  parameters?: { in: string; name: string }[];
}
const parametersOf = ({ parameters = [] }: Operation) =>
  parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
