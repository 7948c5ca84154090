import { defineConfig } from 'vitest/config';

/** Tests with real backends, which take longer to start than all other tests take. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each file starts servers of its own: two cores have enough to do with one of them.
    fileParallelism: false,
  },
});
