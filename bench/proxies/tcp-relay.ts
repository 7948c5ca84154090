import { startNodeProxy } from './node-proxy.ts';
import type { ProxyKind } from './proxy.ts';

export const tcpRelay: ProxyKind = {
  name: 'tcp-relay',
  description: 'two TCP connections in Node and nothing in between, one process: what any proxy in Node takes at least',
  version: () => process.version.slice(1),
  start: (setting) => startNodeProxy('tcp-relay', 'tcp-relay-main.ts', setting),
};
