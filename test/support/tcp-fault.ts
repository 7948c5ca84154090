/** A TCP proxy that hears everything, and can swallow everything without closing (a connection that is half open) or cut it short. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpFault {
  readonly address: string;
  /** All octets so far, of all connections. */
  heard(direction: 'to-pod' | 'to-client'): Buffer;
  /** From now on nothing passes, in either direction, and nothing is closed. */
  blackHole(): void;
  /** Ends all connections that there are by RST, both sides of each. */
  reset(): void;
}

export async function tcpFault(target: string): Promise<TcpFault> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let swallows = false;
  const heard = { 'to-pod': Buffer.alloc(0), 'to-client': Buffer.alloc(0) };
  const join = (from: Socket, to: Socket, direction: 'to-pod' | 'to-client') => {
    sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      heard[direction] = Buffer.concat([heard[direction], chunk]);
      if (!swallows) to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      if (!swallows) to.destroy();
    });
  };
  const server = createServer((client) => {
    const pod = connect(Number(port), host);
    join(client, pod, 'to-pod');
    join(pod, client, 'to-client');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: (direction) => heard[direction],
    blackHole: () => {
      swallows = true;
    },
    reset: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}
