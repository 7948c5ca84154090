import { versionOfPackage } from './installed.ts';
import { startNodeProxy } from './node-proxy.ts';
import type { ProxyKind } from './proxy.ts';

export const wsRelay: ProxyKind = {
  name: 'ws-relay',
  description: 'a relay as one writes it by hand with the npm package ws, one process',
  version: () => versionOfPackage('ws'),
  start: (setting) => startNodeProxy('ws-relay', 'ws-relay-main.ts', setting),
};
