import { defineConfig } from 'vitest/config';

/** Needs Chromium (CHROMIUM, or /usr/bin/chromium), so it is not among the tests of `npm test`. */
export default defineConfig({
  test: { include: ['test/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 1 },
});
