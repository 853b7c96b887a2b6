// `replay` takes the configured callers as `run` does.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { sampleLines } from '../ingest/normalise/lines.ts';
import { logOf, ReplayFolder, rowsOf } from './replay-run.ts';

const folder = new ReplayFolder();
afterAll(() => folder[Symbol.dispose]());

it('kinds of callers are what the configuration says', async () => {
  const config = join(folder.path, 'sealwatch.yaml');
  writeFileSync(config, 'callers: [{ mount: auth/userpass/, name: alice, kind: workload }]\n');
  const { 'events.jsonl': text } = await folder.run([logOf('audit.jsonl', sampleLines())], {
    SEALWATCH_CONFIG: config,
  });
  const kinds = (name: string) => {
    const callers = rowsOf<AuditEvent>(text).filter(({ user }) => user.name === name);
    return new Set(callers.map(({ vault }) => vault.caller.kind).filter((kind) => kind !== 'anonymous'));
  };
  expect(kinds('alice')).toEqual(new Set(['workload']));
  expect(kinds('bob')).toEqual(new Set(['human']));
});
