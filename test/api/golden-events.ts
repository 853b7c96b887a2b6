// Events of a real Vault for the API's tests: the reviewed ones of test/fixtures/golden.

import { readFileSync } from 'node:fs';
import type { AuditEvent } from '../../core/event.ts';

export const goldenEvents = (scene: string, device = 'default'): AuditEvent[] =>
  readFileSync(`test/fixtures/golden/${device}/${scene}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent);
