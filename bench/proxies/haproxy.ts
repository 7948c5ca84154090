import { startForeign, versionOf } from './foreign.ts';
import type { ProxyKind } from './proxy.ts';

/** Each takes two descriptors; HAProxy asks for more than that and does not start when it may not have them. */
const CONNECTIONS_MAX = 9_000;

export const haproxy: ProxyKind = {
  name: 'haproxy',
  description: 'HAProxy, one thread',
  version: () => versionOf('haproxy', ['-v']),
  start: ({ pods, directory }) =>
    startForeign({
      ...{ name: 'haproxy', command: 'haproxy', directory },
      args: (file) => ['-db', '-q', '-f', file],
      configuration: (port) => configuration(port, pods),
    }),
};

function configuration(port: number, pods: readonly string[]): string {
  return `
global
  nbthread 1
  maxconn ${CONNECTIONS_MAX}
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 8192
  default_backend pods
backend pods
  balance roundrobin
${pods.map((address, index) => `  server pod-${index + 1} ${address}`).join('\n')}
`;
}
