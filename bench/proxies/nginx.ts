import { dirname } from 'node:path';
import { startForeign, versionOf } from './foreign.ts';
import type { ProxyKind } from './proxy.ts';

const CONNECTIONS_MAX = 18_000;

export const nginx: ProxyKind = {
  name: 'nginx',
  description: 'nginx, one process',
  version: () => versionOf('nginx', ['-v']),
  start: ({ pods, directory }) =>
    startForeign({
      ...{ name: 'nginx', command: 'nginx', directory },
      args: (file) => ['-p', dirname(file), '-e', 'stderr', '-c', file],
      configuration: (port) => configuration(port, pods),
    }),
};

/** A master process would only wait; temporary files stand in the folder of the configuration. */
function configuration(port: number, pods: readonly string[]): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections ${CONNECTIONS_MAX}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_header { default upgrade; '' ''; }
  upstream pods {
    keepalive 256;
${pods.map((address) => `    server ${address};`).join('\n')}
  }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / {
      proxy_pass http://pods;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;
}
