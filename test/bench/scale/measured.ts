// Inside a measured process: what the work alone cost, without the start of the process. One line of JSON on stdout.

/** What a piece of work did and what it cost. */
export interface Cost {
  /** Records or documents. */
  count: number;
  wallSeconds: number;
  cpuSeconds: number;
  peakMiB: number;
}

/** Runs `work`, which resolves to how many records it moved, and prints its cost. */
export async function measured(work: () => Promise<number>): Promise<void> {
  globalThis.gc?.();
  const startMs = performance.now();
  const before = process.cpuUsage();
  const count = await work();
  const { user, system } = process.cpuUsage(before);
  const cost: Cost = {
    count,
    wallSeconds: (performance.now() - startMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
  process.stdout.write(`${JSON.stringify(cost)}\n`);
}
