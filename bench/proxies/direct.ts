import type { ProxyKind } from './proxy.ts';

export const direct: ProxyKind = {
  name: 'direct',
  description: 'no proxy: clients at the pods in turn',
  version: () => 'none',
  start: async ({ pods }) => ({ addresses: pods, pid: undefined, stop: async () => {} }),
};
