import { startForeign, versionOf } from './foreign.ts';
import type { ProxyKind } from './proxy.ts';

/** Its default of 1024 would refuse the rest. */
const CONNECTIONS_MAX = 100_000;

/** On PATH, or where the variable says. */
const command = () => process.env['ENVOY'] ?? 'envoy';

export const envoy: ProxyKind = {
  name: 'envoy',
  description: 'Envoy, one worker thread; ENVOY names the program where it is not on PATH',
  version: () => versionOf(command(), ['--version']),
  start: ({ pods, directory }) =>
    startForeign({
      ...{ name: 'envoy', command: command(), directory },
      args: (file) => [
        ...['--config-path', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
      ],
      configuration: (port) => JSON.stringify(bootstrap(port, pods)),
    }),
};

function bootstrap(port: number, pods: readonly string[]): object {
  return { static_resources: { listeners: [listener(port)], clusters: [cluster(pods)] } };
}

const MANAGER = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

function listener(port: number): object {
  const route = { match: { prefix: '/' }, route: { cluster: 'pods', timeout: '0s', idle_timeout: '0s' } };
  return {
    address: socketAddress('127.0.0.1', port),
    tcp_backlog_size: 8192,
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': MANAGER,
              stat_prefix: 'clients',
              stream_idle_timeout: '0s',
              upgrade_configs: [{ upgrade_type: 'websocket' }],
              route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
              http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': ROUTER } }],
            },
          },
        ],
      },
    ],
  };
}

function cluster(pods: readonly string[]): object {
  const limits = { max_connections: CONNECTIONS_MAX, max_pending_requests: CONNECTIONS_MAX };
  return {
    name: 'pods',
    type: 'STATIC',
    connect_timeout: '10s',
    circuit_breakers: { thresholds: [{ ...limits, max_requests: CONNECTIONS_MAX }] },
    load_assignment: {
      cluster_name: 'pods',
      endpoints: [{ lb_endpoints: pods.map((address) => ({ endpoint: { address: addressOf(address) } })) }],
    },
  };
}

function addressOf(address: string): object {
  const [host = '', port = ''] = address.split(':');
  return socketAddress(host, Number(port));
}

function socketAddress(address: string, port: number): object {
  return { socket_address: { address, port_value: port } };
}
