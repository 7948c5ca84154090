import { versionOfPackage } from './installed.ts';
import { startNodeProxy } from './node-proxy.ts';
import type { ProxyKind } from './proxy.ts';

export const httpProxy: ProxyKind = {
  name: 'http-proxy-3',
  description: 'the npm package http-proxy-3, one process',
  version: () => versionOfPackage('http-proxy-3'),
  start: (setting) => startNodeProxy('http-proxy-3', 'http-proxy-main.ts', setting),
};
