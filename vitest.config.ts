import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need real backends: `npm run test:interop`.
    exclude: [...configDefaults.exclude, 'test/interop/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that make the few end-to-end tests that wait on real time wait longer.
    maxWorkers: 2,
  },
});
