import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need a real browser and real backends: `npm run test:browser`, `npm run test:interop`.
    exclude: [...configDefaults.exclude, 'test/browser/**', 'test/interop/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that make the few end-to-end tests that wait on real time wait longer.
    maxWorkers: 2,
  },
});
