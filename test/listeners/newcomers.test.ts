/** Clients that come at once are let in one after the other, and all of them are. Here a turn has no time for more than one. */
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { Socket } from 'node:net';
import { beforeEach, expect, type MockInstance, onTestFinished, test, vi } from 'vitest';
import { Turnstile } from '../../proxy/relay/turnstile.ts';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';

vi.mock('../../proxy/relay/part-ms.ts', () => ({ PART_MS: 0 }));

const COUNT = 100;
/** Node ends connections that have been idle for 5 s, which would hide one that was forgotten. */
const BEFORE_IDLE_MS = 3_000;
const users = Array.from({ length: COUNT }, (_, index) => `user-${index}`);

let joined: MockInstance<Turnstile['join']>;
let left: MockInstance<Turnstile['leave']>;
let paused: MockInstance<PlainSocket['pause']>;

beforeEach(() => {
  vi.restoreAllMocks();
  joined = vi.spyOn(Turnstile.prototype, 'join');
  left = vi.spyOn(Turnstile.prototype, 'leave');
  paused = vi.spyOn(PlainSocket.prototype, 'pause');
});

/** Connections, and clients whose CONNECT is waited for; not the links of pods. */
const newcomers = (spy: MockInstance<Turnstile['join']>) =>
  spy.mock.calls.map(([passer]) => passer).filter((passer) => !(passer instanceof PlainSocket));
/** Neither connections that have said what they want, or ended, nor clients that have a session. */
const nobodyWaits = () =>
  eventually(() => {
    const gone = new Set(newcomers(left));
    expect(newcomers(joined).filter((passer) => !gone.has(passer)).length).toBe(0);
  }, BEFORE_IDLE_MS);
const holds = (held: boolean) =>
  paused.mock.calls.filter((call) => call[0] === 'newcomers wait' && call[1] === held).length;

test('WebSockets that come at once all get their session, and their own messages', async () => {
  const pod = await scriptedPod('pod-1', {
    onFrame: (link, frame) => {
      if (frame.command !== 'SEND') return;
      link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a' }, frame.body);
    },
  });
  const proxy = await startProxy([pod]);
  const clients = await Promise.all(users.map((user) => RawClient.connect(proxy.ws, { user })));
  for (const [index, client] of clients.entries()) client.send('SEND', { destination: '/a' }, users[index] ?? '');
  const told = await Promise.all(clients.map((client) => client.frame('MESSAGE')));
  expect(told.map(textOf)).toEqual(users);
  await nobodyWaits();
  expect(holds(true)).toBeGreaterThan(COUNT / 2);
  expect(holds(false)).toBeGreaterThanOrEqual(holds(true));
});

test('so do plain requests, more than one on a connection', async () => {
  const proxy = await startProxy([]);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const ask = async () => {
    const [response] = await once(get(`${proxy.http}/ws/info`, { agent }), 'response');
    await once(response.resume(), 'end');
    return response.statusCode;
  };
  const first = await Promise.all(users.map(ask));
  await nobodyWaits();
  const second = await Promise.all(users.map(ask));
  expect(new Set([...first, ...second])).toEqual(new Set([200]));
});

test('clients that leave before they have said anything keep nobody waiting', async () => {
  const proxy = await startProxy([await scriptedPod('pod-1')]);
  const leaving = users.map(() => new Socket().connect(proxy.port, '127.0.0.1'));
  const clients = await Promise.all(users.map((user) => RawClient.connect(proxy.ws, { user })));
  for (const socket of leaving) socket.destroy();
  expect(clients).toHaveLength(COUNT);
  await nobodyWaits();
});
