import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Against real clusters, and only when asked for: `npm run test:skypilot`.
    exclude: ['test/live/**'],
    // Local clusters are processes: files side by side would fight for two cores and blur the timings.
    fileParallelism: false,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
