import { defineConfig } from 'vitest/config';

/** Tests with a real Kubernetes control plane, in a network of their own (test/cluster/in-network.ts). */
export default defineConfig({
  test: {
    include: ['test/cluster/live/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Each file starts a control plane: two cores have enough to do with one of them.
    fileParallelism: false,
  },
});
