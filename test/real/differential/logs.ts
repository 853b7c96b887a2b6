// What both products are given: the recordings of a real Vault that lie in the repository, and calls of the permuter, each as the
// three devices of one Vault wrote them.

import { readdirSync } from 'node:fs';
import { utcTime } from '../../../core/time.ts';
import { numbers } from '../../commands/replay-run.ts';
import { writtenAt } from '../../e2e/vault-devices.ts';
import { callOf } from '../../ingest/normalise/lines.ts';
import { generated, logAt, recordedLogs } from '../../permuter/inputs.ts';

const fixtures = 'test/fixtures/vault-1.21.1';

type Device = 'file' | 'plain' | 'raw';

/**
 * Lines of each device in order of time, and the time of the last: an hour after the others, the same on all devices, so that no
 * device holds time back and what runs out has run out.
 */
export function logsOf(seeds: readonly number[]): { logs: Record<Device, string[]>; end: string } {
  const { sample = [], default: file = [], 'plain-accessor': plain = [], raw = [] } = recordedLogs();
  const logs = {
    file: [
      ...sample,
      ...file,
      ...each('auth'),
      ...of('credentials/file'),
      ...of('deceits/file'),
      ...of('ledger'),
    ],
    plain: [...plain, ...each('auth-plain-accessor'), ...of('credentials/plain'), ...of('deceits/plain')],
    raw,
  };
  for (const [n, seed] of seeds.entries())
    for (const { sender, line } of generated(numbers(seed), 50)) {
      const device = sender.device === 'file' ? 'file' : 'plain';
      logs[device].push(line.replace(/"id":"((?:call|odd)-\d+)"/, `"id":"${n}-$1"`));
    }
  for (const lines of Object.values(logs)) sortByTime(lines);
  const times = Object.values(logs).map((lines) =>
    timeIn(lines.findLast((line) => timeIn(line) !== '') ?? ''),
  );
  const endMs = Date.parse(`${times.sort().at(-1)?.slice(0, 23)}Z`) + HOUR_MS;
  const last = callOf('kv-v2', 2).map((half) => writtenAt(JSON.stringify(half), endMs, 0));
  for (const lines of Object.values(logs))
    lines.push(...last.map((line) => line.replace(/"id":"[^"]*"/, '"id":"the-end"')));
  return { logs, end: timeIn(last[0] ?? '') };
}

const HOUR_MS = 3_600_000;
const timeIn = (line: string): string => utcTime(/"time":"([^"]*)"/.exec(line)?.[1] ?? '') ?? '';

const of = (name: string): string[] =>
  logAt(name === 'ledger' ? `${fixtures}/ledger` : `${fixtures}/${name}.jsonl`);
const each = (folder: string): string[] =>
  readdirSync(`${fixtures}/${folder}`)
    .sort()
    .flatMap((name) => logAt(`${fixtures}/${folder}/${name}`));

/** A line without a time stays behind the one before it. */
function sortByTime(lines: string[]): void {
  let last = '';
  const timed = lines.map((line) => {
    last = timeIn(line) || last;
    return { line, time: last };
  });
  timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  lines.splice(0, lines.length, ...timed.map(({ line }) => line));
}
