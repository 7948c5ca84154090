/**
 * What Node takes at least: octets go from one TCP connection to the other as they come, and nobody looks at them. No proxy in Node that
 * knows anything of its connections can cost less. Usage: tcp-relay-main.ts HOST:PORT…
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const BACKLOG = 8192;
const READ_BYTES = 64 * 1024;

const pods = process.argv.slice(2).map((pod) => new URL(`http://${pod}`));
/** What a read has brought is written before the next one. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
let turn = 0;

const server = createServer({ noDelay: true }, (client) => {
  const { hostname, port } = pods[turn++ % pods.length] as URL;
  const toClient = (bytes: number) => {
    // A copy: what the system does not take at once is kept until it does.
    client.write(Buffer.from(buffer.subarray(0, bytes)));
    return true;
  };
  const pod = connect({ host: hostname, port: Number(port), noDelay: true, onread: { buffer, callback: toClient } });
  client.on('data', (octets) => pod.write(octets));
  endTogether(client, pod);
});

function endTogether(one: Socket, other: Socket): void {
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('close', () => peer.destroy());
    // What follows an error is the close.
    socket.on('error', () => {});
  }
}

server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
