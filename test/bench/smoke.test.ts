/** Each proxy in a tiny run: it is not measured, but judged. And proxies that are wrong are found out. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { post } from '../../bench/parts/post.ts';
import { push20000 } from '../../bench/parts/push.ts';
import { type ProxyKind, proxies } from '../../bench/proxies/index.ts';
import { onOneStage, SMALL, smoke, wrong } from './smoke.ts';

const TIMEOUT_MS = 120_000;
const BY_NPM = ['direct', 'http-proxy-3', 'ws-relay', 'holdfast'];

test.each(proxies.filter(({ name }) => BY_NPM.includes(name)))(
  '$name loses, doubles and swaps nothing',
  async (kind) => {
    const outcomes = await smoke(kind.start);
    expect(wrong(outcomes)).toEqual([]);
    expect(outcomes.get('push-20000')?.figures['messages/s']).toBeGreaterThan(0);
    if (kind.name !== 'direct') expect(outcomes.get('echo')?.figures['CPU µs/message']).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  'what producers post comes to a pod, once',
  async () => {
    const outcomes = Object.entries(await post.run(SMALL));
    expect(outcomes.filter(([, { notes }]) => notes !== undefined)).toEqual([]);
    const gateway = outcomes.filter(([name]) => name.startsWith('the gateway'));
    expect(gateway.map(([, { figures }]) => (figures['messages/s'] ?? 0) > 0)).toEqual([true, true, true]);
  },
  TIMEOUT_MS,
);

/** What becomes of a read of a pod, which is at least one whole message here. */
type Mischief = (chunk: Buffer, held: Buffer[]) => readonly Buffer[];

const mischiefs: Readonly<Record<string, Mischief>> = {
  lost: () => [],
  duplicated: (chunk) => [chunk, chunk],
  reordered: (chunk, held) => {
    if (held.length === 0) {
      held.push(chunk);
      return [];
    }
    return [chunk, ...held.splice(0)];
  },
  unknown: (chunk) => [Buffer.from(chunk.toString('latin1').replace('p0', 'p9'), 'latin1')],
};

/** Behaves until a user has been pushed some messages, and then does it to the next ones. */
function mischievous(mischief: Mischief): ProxyKind['start'] {
  return async ({ pods }) => {
    const sockets = new Set<Socket>();
    let turn = 0;
    const server = createServer((client) => {
      const [host = '', port = ''] = (pods[turn++ % pods.length] ?? '').split(':');
      const pod = connect(Number(port), host);
      const held: Buffer[] = [];
      let pushed = 0;
      for (const socket of [client, pod]) sockets.add(socket.on('error', () => socket.destroy()));
      client.on('data', (chunk) => pod.write(chunk)).on('close', () => pod.destroy());
      pod.on('close', () => client.destroy());
      pod.on('data', (chunk: Buffer) => {
        const isStruck = chunk.includes('MESSAGE') && ++pushed > 2 && pushed <= 4;
        for (const part of isStruck ? mischief(chunk, held) : [chunk]) client.write(part);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    };
    return { addresses: [`127.0.0.1:${(server.address() as AddressInfo).port}`], pid: undefined, stop };
  };
}

test.each(Object.entries(mischiefs))(
  'a proxy by which messages are %s is refused',
  async (kind, mischief) => {
    const outcomes = await onOneStage(mischievous(mischief), [push20000]);
    const faults = outcomes.get(push20000.name)?.faults;
    expect(faults?.[kind as keyof typeof faults]).toBeGreaterThan(0);
    expect(wrong(outcomes).length).toBe(1);
  },
  TIMEOUT_MS,
);
