import { defineConfig } from 'vitest/config';

/** `npm run test:skypilot`: against a live API server with six machines, of which a promise takes one, hardly ever two. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    setupFiles: ['test/live/say-failures.ts'],
    fileParallelism: false,
    maxConcurrency: 4,
    // Clusters are taken down whatever happened, and that takes its time.
    teardownTimeout: 120_000,
  },
});
