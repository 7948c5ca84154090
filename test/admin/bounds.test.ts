import { expect, test } from 'vitest';
import { startProxy } from '../support/proxy.ts';

test('bounds are shown beside what they bound, so that an alert can say how near it is', async () => {
  const proxy = await startProxy([], ['--hold-total', '1MiB', '--limits-sessions', '7']);
  expect(await proxy.metric('holdfast_held_bytes_max')).toBe(1024 * 1024);
  expect(await proxy.metric('holdfast_clients_max')).toBe(7);
});
