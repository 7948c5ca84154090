/**
 * What a Kubernetes Service is to clients without Holdfast: each new TCP connection goes to the next of the serving pods
 * and stays there until one side ends it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Balancer {
  /** http://HOST:PORT */
  readonly url: string;
  stop(): Promise<void>;
}

/** @param addresses of the serving pods, HOST:PORT, read at each connection */
export async function startBalancer(addresses: () => readonly string[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    const pods = addresses();
    const address = pods[turn++ % pods.length];
    if (address === undefined) return void client.destroy();
    join(sockets, client, connectTo(address));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => stop(server, sockets),
  };
}

function connectTo(address: string): Socket {
  const [host = '', port] = address.split(':');
  return connect(Number(port), host);
}

function join(sockets: Set<Socket>, client: Socket, pod: Socket): void {
  for (const [socket, other] of [
    [client, pod],
    [pod, client],
  ] as const) {
    sockets.add(socket);
    socket.setNoDelay();
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  }
}

async function stop(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
