import { expect, it } from 'vitest';
import { NODE_ADDRESS, PodAddresses } from './addresses.ts';

it('gives each pod an address of its own, and no more than there are', () => {
  const addresses = new PodAddresses();
  const given = new Set<string>();
  const count = 2 ** 16 - 2 ** 8 - 1;
  for (let number = 1; number <= count; number++) given.add(addresses.next());
  expect(given.size).toBe(count);
  expect(given).toContain('10.244.1.0');
  expect(given).toContain('10.244.255.254');
  expect(given).not.toContain(NODE_ADDRESS);
  expect(() => addresses.next()).toThrow('10.244.0.0/16');
});
