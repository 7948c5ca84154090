/** WebSockets through http-proxy-3, to the pods in turn. Usage: http-proxy-main.ts HOST:PORT… */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';

const BACKLOG = 8192;

const pods = process.argv.slice(2);
const proxy = createProxyServer({ ws: true });
// A connection that breaks concerns nobody else.
proxy.on('error', () => {});
const server = createServer();
let turn = 0;
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  proxy.ws(request, socket, head, { target: `http://${pods[turn++ % pods.length]}` });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
