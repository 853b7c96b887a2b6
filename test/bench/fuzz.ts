// npm run bench -- fuzz [--minutes 10] [--seed N]: broken lines through all stages for minutes; says what became of them, and
// whether memory stays flat. Ends with 1 when something stumbled.

import { parseArgs } from 'node:util';
import { numbers } from '../commands/replay-run.ts';
import { Attack, heldMax, heldNames, recordedSeeds } from '../fuzz/attack.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const LINES_A_RUN = 20_000;
/** Heap after garbage collection may grow by this much from the second run on. */
const GROWTH_MIB = 32;
const deadline = Date.now() + Number(values.minutes) * 60_000;
const seeds = recordedSeeds();
const random = numbers(Number(values.seed));
const heapMiB: number[] = [];
const faults: string[] = [];
const totals = { lines: 0, events: 0, alerts: 0, controls: 0 };
const rejects: Record<string, number> = {};

process.stderr.write(`seed ${values.seed}\n`);
for (let run = 0; Date.now() < deadline; run++) {
  const partitions = [1, 3, 8][run % 3] as number;
  await using attack = new Attack({ seeds, random, partitions, run: run * 10 });
  await attack.world.start();
  await attack.send(LINES_A_RUN);
  const report = await attack.finish();
  for (const name of ['lines', 'events', 'alerts', 'controls'] as const) totals[name] += report[name];
  for (const [reason, count] of Object.entries(report.rejects))
    rejects[reason] = (rejects[reason] ?? 0) + count;
  if (report.controlsSeen !== report.controls)
    faults.push(`run ${run}: ${report.controls - report.controlsSeen} whole calls did not come out`);
  for (const name of heldNames)
    if (report.held[name] > heldMax[name])
      faults.push(`run ${run}: ${name} still holds ${report.held[name]}`);
  globalThis.gc?.();
  heapMiB.push(process.memoryUsage().heapUsed / 2 ** 20);
  process.stderr.write(`  ${totals.lines} lines, heap ${heapMiB.at(-1)?.toFixed(0)} MiB\n`);
}
if ((rejects['internal'] ?? 0) > 0) faults.push(`${rejects['internal']} lines made our own code stumble`);
const grown = (heapMiB.at(-1) as number) - (heapMiB[1] ?? (heapMiB[0] as number));
if (grown > GROWTH_MIB) faults.push(`the heap grew by ${grown.toFixed(0)} MiB`);
const heap = { first: heapMiB[1] ?? heapMiB[0], last: heapMiB.at(-1), most: Math.max(...heapMiB) };
process.stdout.write(
  `${JSON.stringify({ seed: values.seed, ...totals, rejects, heapMiB: heap, faults }, null, 1)}\n`,
);
if (faults.length > 0) process.exitCode = 1;
