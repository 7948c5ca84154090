import { defineConfig } from 'vitest/config';

/** Tests of the manifests that need kustomize or kubectl, Go, promtool and Prometheus; `npm test` has those that need nothing. */
export default defineConfig({
  test: {
    include: ['test/manifests/live/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // Prometheus, proxies, pods and clients at once are enough for two cores.
    fileParallelism: false,
  },
});
