import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need a real browser, real backends, Prometheus, a control plane: `npm run test:browser`, `test:interop`, `test:manifests`,
    // `test:cluster`.
    exclude: [
      ...configDefaults.exclude,
      ...['test/browser/**', 'test/interop/**', 'test/manifests/live/**', 'test/cluster/live/**'],
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that make the few end-to-end tests that wait on real time wait longer.
    maxWorkers: 2,
  },
});
