// The hostile corpus through the intake: no secret is in what it spools; with redaction switched off all of them are.

import { expect, test } from 'vitest';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { hostileCorpus } from '../../e2e/hostile.ts';
import { MemorySpool } from './spool.ts';

const nowMs = Date.parse('2026-11-23T03:00:00Z');
const { lines, secrets } = hostileCorpus(42, nowMs);
/** `utf16` as well: of the corpus' tokens one is written so in each shape. */
const shows = (bytes: Buffer, secret: string) =>
  bytes.includes(secret) || bytes.includes(secret, 0, 'utf16le');

function spooled(redactor: Redactor): Buffer {
  const spool = new MemorySpool();
  const intake = new Intake(spool, redactor);
  for (const line of lines) intake.line(intake.source({ device: 'tcp' }), line, 0, line.length, nowMs);
  expect(spool.lines()).toHaveLength(lines.length);
  return Buffer.concat(spool.lines().map(({ bytes }) => bytes));
}

test('no secret of the hostile corpus is spooled', () => {
  expect(lines.length).toBeGreaterThan(400);
  expect(secrets.length).toBeGreaterThan(400);
  const bytes = spooled(new Redactor(Buffer.alloc(32, 1)));
  expect(bytes.length).toBeGreaterThan(500_000);
  expect(secrets.filter((secret) => shows(bytes, secret))).toEqual([]);
}, 120_000);

test('without redaction the search finds them', () => {
  const open = new Redactor(Buffer.alloc(32));
  open.redact = (line) => ({ line, scrub: undefined });
  const bytes = spooled(open);
  const found = secrets.filter((secret) => shows(bytes, secret));
  // The rest is written with escapes of JSON or of a URL.
  expect(found.length).toBeGreaterThan(secrets.length * 0.8);
}, 120_000);
