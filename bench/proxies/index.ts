/** The proxies that are compared. */
import { direct } from './direct.ts';
import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { holdfast, holdfastOfTwo } from './holdfast.ts';
import { httpProxy } from './http-proxy.ts';
import { nginx } from './nginx.ts';
import type { ProxyKind } from './proxy.ts';
import { tcpRelay } from './tcp-relay.ts';
import { wsRelay } from './ws-relay.ts';

export type { ProxyKind, ProxySetting, RunningProxy } from './proxy.ts';

/** What ratios are to. */
export const REFERENCE = haproxy.name;
export const DIRECT = direct.name;

export const proxies: readonly ProxyKind[] = [
  direct,
  haproxy,
  nginx,
  envoy,
  httpProxy,
  wsRelay,
  tcpRelay,
  holdfast,
  holdfastOfTwo,
];
