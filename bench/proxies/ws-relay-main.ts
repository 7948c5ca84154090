/** Each message of one side is sent to the other: the relay that one writes by hand. Usage: ws-relay-main.ts HOST:PORT… */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

const BACKLOG = 8192;

const pods = process.argv.slice(2);
const server = createServer();
const webSockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });
let turn = 0;

webSockets.on('connection', (client: WebSocket, request: IncomingMessage) => {
  const headers = { username: request.headers['username'] ?? '' };
  const url = `ws://${pods[turn++ % pods.length]}${request.url}`;
  const pod = new WebSocket(url, [client.protocol], { headers, perMessageDeflate: false });
  const early: [RawData, boolean][] = [];
  const toPod = (data: RawData, binary: boolean) => pod.send(data, { binary });
  const keep = (data: RawData, binary: boolean) => early.push([data, binary]);
  client.on('message', keep);
  pod.on('open', () => {
    client.off('message', keep).on('message', toPod);
    for (const [data, binary] of early) toPod(data, binary);
  });
  pod.on('message', (data, binary) => client.send(data, { binary }));
  client.on('close', () => pod.close());
  pod.on('close', () => client.close());
  // What follows an error is the close.
  client.on('error', () => {});
  pod.on('error', () => {});
});
server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
