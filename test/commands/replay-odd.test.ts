// Found by review: red until the product is mended.

import { afterAll, expect, it } from 'vitest';
import { sampleLines } from '../ingest/normalise/lines.ts';
import { logOf, ReplayFolder, summaryOf } from './replay-run.ts';

const folder = new ReplayFolder();
afterAll(() => folder[Symbol.dispose]());
const sample = sampleLines();

it('a log whose first lines have no usable time is read', async () => {
  const bad = '{"time":"x","type":"request","request":{"id":"a"}}';
  expect(summaryOf(await folder.run([logOf('a', [bad])]))).toMatchObject({ rejects: 1 });
});

it('one line from the future makes no other line late', async () => {
  const [line = ''] = sample;
  const future = line
    .replace(/"id":"[^"]*"/, '"id":"future"')
    .replace(/"time":"[^"]*"/, '"time":"2099-01-01T00:00:00Z"');
  const result = await folder.run([logOf('a', [...sample.slice(0, 20), future, ...sample.slice(20)])]);
  expect(result['alerts.jsonl']).toBe((await folder.run([logOf('a', sample)]))['alerts.jsonl']);
});

it('a request that comes again minutes later does not turn the call into a half', async () => {
  const [request = ''] = sample.slice(2);
  const result = await folder.run([logOf('a', [...sample, request])]);
  expect(result['events.jsonl']).toBe((await folder.run([logOf('a', sample)]))['events.jsonl']);
});
