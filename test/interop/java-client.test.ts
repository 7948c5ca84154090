/** Spring's own STOMP client: at a Spring application, and with Holdfast in between while its pod is replaced. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../support/proxy.ts';
import { JavaClient, type JavaClientOptions } from './java-client.ts';
import { BUILD_MAX_MS } from './maven.ts';
import { SpringPod } from './spring-pod.ts';

let pod: SpringPod;

beforeAll(async () => {
  pod = await SpringPod.start({ name: 'spring-1' });
}, BUILD_MAX_MS);

afterAll(() => pod?.kill());

async function connect(options: JavaClientOptions): Promise<JavaClient> {
  const client = await JavaClient.connect(options);
  onTestFinished(() => client.kill());
  return client;
}

/** Nothing says when the subscription is live, so echoes are asked for until one comes. */
async function echo(client: JavaClient): Promise<void> {
  client.subscribe('echo', '/user/queue/echo');
  await again(client, 'hello');
}

async function again(client: JavaClient, text: string): Promise<void> {
  const asked = () => {
    client.send('/app/echo', text);
    return client.events.some(({ id, body }) => id === 'echo' && body === text);
  };
  await expect.poll(asked, { timeout: 10_000, interval: 200 }).toBe(true);
}

describe.each(['raw', 'sockjs'] as const)('over %s', (transport) => {
  const url = () => (transport === 'raw' ? pod.url : pod.sockJsUrl);

  it(
    'connects as its user, subscribes, sends, and leaves in order',
    async () => {
      const client = await connect({ transport, url: url(), user: 'alice' });
      expect(client.events[0]).toMatchObject({ event: 'connected', headers: { 'user-name': 'alice' } });
      await echo(client);
      client.unsubscribe('echo');
      client.disconnect();
      expect((await client.event(({ event }) => event === 'closed')).code).toBe(1000);
      expect(client.events.filter(({ event }) => event === 'error' || event === 'receipt')).toEqual([]);
    },
    BUILD_MAX_MS,
  );

  it('tells the end of its pod', async () => {
    const short = await SpringPod.start({ name: 'spring-2' });
    onTestFinished(() => short.kill());
    const its = transport === 'raw' ? short.url : short.sockJsUrl;
    const client = await connect({ transport, url: its, user: 'alice' });
    await short.stop();
    expect((await client.event(({ event }) => event === 'closed')).code).toBe(1006);
    await client.event(({ kind }) => kind === 'transport');
  });
});

it('with Holdfast in between hears nothing of the end of its pod', async () => {
  const successor = await SpringPod.start({ name: 'spring-2' });
  onTestFinished(() => successor.kill());
  const flags = ['--handover-drain-max', '500ms'];
  const proxy = await startProxy([pod], flags);
  const url = `${proxy.http.replace('http', 'ws')}/ws/websocket`;
  const client = await connect({ transport: 'raw', url, user: 'alice' });
  await echo(client);
  proxy.setPods([{ name: pod.name, address: pod.address, state: 'draining' }, successor]);
  await proxy.line(({ msg }) => msg === 'handed over');
  await pod.stop();
  await again(client, 'still here');
  expect(client.events.filter(({ event }) => event === 'error' || event === 'closed')).toEqual([]);
});
