// Loaded with --import into each measured process: writes what the whole process used to the file in BENCH_USAGE.

import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const path = process.env['BENCH_USAGE'];
  if (path === undefined) return;
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(
    path,
    JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB: maxRSS / 1024 }),
  );
});
