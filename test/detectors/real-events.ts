// Events of a real Vault 1.21.1, by the scene they were recorded in.

import { readFileSync } from 'node:fs';
import { normaliseLines } from '../../commands/replay-lines.ts';
import type { AuditEvent } from '../../core/event.ts';

/** The event of `scene` (test/fixtures/vault-1.21.1/default) at `at`, in order of time. */
export function realEvent(scene: string, at = 0): AuditEvent {
  const file = new URL(`../fixtures/vault-1.21.1/default/${scene}.jsonl`, import.meta.url);
  const event = normaliseLines(readFileSync(file, 'utf8').trim().split('\n'))[at];
  if (event === undefined) throw new Error(`${scene} has no event ${at}`);
  return event;
}
