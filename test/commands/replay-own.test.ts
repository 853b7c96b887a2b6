// sealwatch's own calls in a replay: judged as `run` judges them.

import { expect, it } from 'vitest';
import { Chain } from '../../commands/chain.ts';
import { recordedDevice } from '../../core/devices.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Answer } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';
import { noRules } from '../../detectors/engine/rule-set.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';
import { type EntryLine, fixtureLines } from '../ingest/normalise/lines.ts';

const shown = fixtureLines('file', 'credentials').map((line) => JSON.parse(line) as EntryLine);
const answers = fixtureLines('answers', 'credentials').map((line) => JSON.parse(line) as Answer);
const isAsked = ({ request }: EntryLine) => request['id'] === answers[0]?.response?.['request_id'];
const accessor = String(shown.find(isAsked)?.auth?.['accessor']);
/** As if sealwatch had logged in by a role: the recorded one has a token that nobody logged in for. */
const entries = shown.map((entry) =>
  entry.auth?.['accessor'] === accessor
    ? { ...entry, auth: { ...entry.auth, entity_id: 'sealwatch' } }
    : entry,
);
const lines = entries.map((entry) => JSON.stringify(entry));
/** The lines of a look-up that sealwatch was answered. */
const asked = entries.filter(isAsked);

/** That look-up so much later, by another path. */
const later = (seconds: number, path: string, operation: string): string =>
  asked
    .map((entry) => {
      const request = { ...entry.request, id: `call-${seconds}`, path, operation };
      return `${JSON.stringify({ ...entry, request, time: addSeconds(entry.time, seconds) })}\n`;
    })
    .join('');

async function alertsOf(last: string, ownSecrets: string[], ticks = true): Promise<string[]> {
  const paths: string[] = [];
  const events: AuditEvent[] = [];
  const ignored = () => {};
  const chain = new Chain({
    cluster: 'test',
    devices: [recordedDevice('file')],
    partitions: 1,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    rules: noRules,
    redactor: new Redactor(Buffer.alloc(32)),
    ownSecrets,
    ledger: {
      memory: new MapMemory(),
      answer: ({ path, body }) =>
        answers.find(
          (answer) => answer.path === path && JSON.stringify(answer.body) === JSON.stringify(body),
        ),
    },
    sink: {
      event: (event) => events.push(event),
      lease: ignored,
      fact: ignored,
      reject: ignored,
      coverage: ignored,
      hashes: ignored,
      node: ignored,
      alerts: (changed) => paths.push(...changed.map(({ body }) => body.vault?.request?.path ?? '')),
      watermark: ignored,
    },
  });
  chain.push('file', Buffer.from(`${lines.join('\n')}\n${later(600, 'sys/mounts', 'read')}`));
  if (ticks) chain.tick();
  chain.push('file', Buffer.from(last));
  chain.finishDevice('file');
  chain.finish();
  events.sort((a, b) => (a['@timestamp'] < b['@timestamp'] ? -1 : 1));
  await chain.judgeOwn(async (take) => events.forEach(take));
  return paths;
}

it('reads of its configured secrets are its own', async () => {
  const read = later(1200, 'secret/data/sealwatch', 'read');
  expect(await alertsOf(read, [])).toEqual(['secret/data/sealwatch']);
  expect(await alertsOf(read, ['secret/data/sealwatch'])).toEqual([]);
});

it('what another token of it did right before the end is judged too, however the log was cut into pieces', async () => {
  const foreign = later(1200, 'sys/auth', 'read').replaceAll(accessor, `hmac-sha256:${'0'.repeat(64)}`);
  expect(await alertsOf(foreign, [])).toEqual(['sys/auth']);
  expect(await alertsOf(foreign, [], false)).toEqual(['sys/auth']);
});
