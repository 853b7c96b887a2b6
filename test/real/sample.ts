// Plays about forty minutes of a small company on a real Vault and moves the times onto one morning: the sample log.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditFile, hideFolder } from './audit-file.ts';
import { addPerson, addService, furnish } from './furnish.ts';
import { plan } from './sample-plan.ts';
import { startVault } from './servers.ts';

/** The Monday morning that the sample shows. */
const start = Date.parse('2026-09-14T09:00:00Z') / 1000;
const services = ['billing', 'shop', 'reports'] as const;
const people = ['alice', 'bob', 'mara'] as const;

export async function captureSample(target: string): Promise<number> {
  await using running = await startVault('vault-sample', 'inmem_ha');
  const { vault, folder } = running;
  await furnish(vault);
  for (const name of people) await addPerson(vault, name);
  const logins: Record<string, { role_id: unknown; secret_id: unknown }> = {};
  for (const name of services) logins[name] = await addService(vault, name);

  const path = join(folder, 'audit.log');
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: path } });
  const file = new AuditFile(path);
  const move = timeMover();
  const lines = move(file.take(), start - 5);
  let second = 0;
  for (const step of plan(vault, logins, folder)) {
    // Two seconds apart at least: lines keep the fractions of their real second, so nearer ones could change places.
    second = Math.max(step.at, second + 2);
    await step.call();
    lines.push(...move(file.take(), start + second));
  }
  writeFileSync(target, lines.map((line) => `${hideFolder(line, folder)}\n`).join(''));
  return lines.length;
}

const timeOf = (line: string) => Math.floor(Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '') / 1000);

/** Moves the lines of one call to a second of the calendar; fractions, and so durations, stay as Vault wrote them. */
function timeMover(): (lines: string[], second: number) => string[] {
  /** When each token was issued on the new calendar, by accessor. */
  const issued = new Map<string, string>();
  return (lines, second) => {
    const first = lines[0];
    if (first === undefined) return [];
    const shift = second - timeOf(first);
    return lines.map((line) => {
      const entry = JSON.parse(line) as { auth?: Accessor; response?: { auth?: Accessor } };
      const fresh = entry.response?.auth?.accessor;
      if (fresh !== undefined && !issued.has(fresh)) issued.set(fresh, isoSecond(second));
      const issueTime = issued.get(entry.auth?.accessor ?? '') ?? isoSecond(start - 3600);
      return line
        .replace(
          /("(?:time|creation_time)":")([^".Z]+)/g,
          (_, key: string, time: string) =>
            `${key}${isoSecond(Date.parse(`${time}Z`) / 1000 + shift).slice(0, -1)}`,
        )
        .replace(/("token_issue_time":")[^"]+/g, `$1${issueTime}`);
    });
  };
}

interface Accessor {
  accessor?: string;
}

const isoSecond = (second: number) => new Date(second * 1000).toISOString().replace('.000Z', 'Z');
