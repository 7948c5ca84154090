/** A TCP proxy that can swallow everything without closing: a connection that is half open. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpFault {
  readonly address: string;
  /** From now on nothing passes, in either direction, and nothing is closed. */
  blackHole(): void;
}

export async function tcpFault(target: string): Promise<TcpFault> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let swallows = false;
  const join = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => swallows || to.write(chunk));
    from.on('error', () => {});
    from.on('close', () => swallows || to.destroy());
  };
  const server = createServer((client) => {
    const pod = connect(Number(port), host);
    join(client, pod);
    join(pod, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blackHole: () => {
      swallows = true;
    },
  };
}
