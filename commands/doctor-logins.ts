// Logins that doctor made while no sealwatch ran: the next start puts them on the stream, or its detectors would take doctor's
// token for a thief's.

import {
  closeSync,
  constants,
  fchownSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { type Config, dataFiles } from '../core/config.ts';
import type { Answer } from '../core/records.ts';

const login = z.object({
  at: z.string(),
  method: z.string(),
  path: z.string(),
  purpose: z.literal('login'),
  status: z.number(),
  response: z.object({ request_id: z.string() }),
});

/** Throws when the data folder cannot be written. */
export function noteLogin({ dataDir }: Config, ...answers: Answer[]): void {
  const lines = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
  // Root may have called doctor: never through a link of the folder's owner, who must be able to read the note.
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const file = openSync(dataFiles(dataDir).doctorLogins, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  try {
    writeSync(file, lines);
    const { uid, gid } = statSync(dataDir);
    if (process.getuid?.() === 0) fchownSync(file, uid, gid);
  } finally {
    closeSync(file);
  }
}

/** Those that were noted since the last start; a line that is none is left out. */
export function takeLogins({ dataDir }: Config): Answer[] {
  const path = dataFiles(dataDir).doctorLogins;
  // Stages that share the folder must not both tell of them.
  const taken = `${path}.${process.pid}`;
  let text: string;
  try {
    renameSync(path, taken);
    text = readFileSync(taken, 'utf8');
  } catch {
    return [];
  }
  rmSync(taken);
  return text.split('\n').flatMap((line) => {
    try {
      return login.safeParse(JSON.parse(line)).data ?? [];
    } catch {
      return [];
    }
  });
}
