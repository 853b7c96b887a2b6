// The test projects: unit and contract need nothing, e2e needs the build in dist/, real needs real servers.

import { defineConfig } from 'vitest/config';

/** Slow machines are common in CI; no test may depend on being fast. */
const seconds = 1000;

// biome-ignore lint/style/noDefaultExport: vitest reads the default export of this file
export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{contract,e2e,real,bench}/**'],
          testTimeout: 120 * seconds,
          hookTimeout: 120 * seconds,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 120 * seconds,
          hookTimeout: 120 * seconds,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300 * seconds,
          hookTimeout: 300 * seconds,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          globalSetup: ['test/real/run.ts'],
          // Each starts servers and processes that need all of a small machine.
          fileParallelism: false,
          testTimeout: 600 * seconds,
          hookTimeout: 600 * seconds,
        },
      },
    ],
  },
});
