import { defineConfig } from 'vitest/config';

/** `npm run test:skypilot`: against a live API server. One promise at a time, for there may be only two machines. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    fileParallelism: false,
    // Clusters are taken down whatever happened, and that takes its time.
    teardownTimeout: 120_000,
  },
});
