/** When a side counts as silent, in virtual time. */
import { expect, test, vi } from 'vitest';
import { Leg } from '../../proxy/relay/leg.ts';
import type { Socket } from '../../proxy/relay/socket.ts';
import { switchboardOptions } from '../../proxy/settings.ts';
import { HEARTBEAT } from '../../stomp/index.ts';
import { configFrom } from '../support/proxy.ts';

/** With the options that the proxy has by default. */
function legs() {
  const { relay } = switchboardOptions(configFrom(['--pods', 'a=127.0.0.1:1']));
  const heard = { heardAtMs: 0, heardDataAtMs: 0 };
  const doubt: Pick<Socket, 'inDoubtSinceMs'> = {};
  const socket = { ...doubt, ...{ isPaused: false, isOpen: true, ping: () => {}, send: () => {}, excuse: () => {} } };
  const make = (options: typeof relay.link) => new Leg(Object.assign(socket, heard) as unknown as Socket, options, 0);
  return {
    goneMs: relay.link.goneMs,
    link: make(relay.link),
    client: make(relay.client),
    socket: Object.assign(socket, heard),
  };
}

test("a pod whose beats come nearly two intervals apart, as Spring's do, is not silent", () => {
  const { link, socket } = legs();
  link.setBeats(0, 10_000, 0);
  for (let now = 250; now <= 20_500; now += 250) {
    socket.heardAtMs = now; // its WebSocket answers pings
    expect(link.beat(now, HEARTBEAT), `at ${now} ms`).toBe(0);
  }
  socket.heardAtMs = 23_000;
  expect(link.beat(23_000, HEARTBEAT)).toBe(23_000);
});

test('one that promised a beat each 2 s and hangs is silent within 5 s', () => {
  const { link } = legs();
  link.setBeats(0, 2_000, 0);
  expect(link.beat(4_500, HEARTBEAT)).toBe(0);
  expect(link.beat(4_750, HEARTBEAT)).toBe(4_750);
});

test('a client has three intervals, as with Spring', () => {
  const { client, socket } = legs();
  client.setBeats(0, 10_000, 0);
  socket.heardAtMs = 29_999;
  expect(client.beat(29_999, HEARTBEAT)).toBe(0);
  expect(client.beat(30_000, HEARTBEAT)).toBe(30_000);
});

test.each([
  [-1, 0],
  [0, 1],
  [1, 1],
])(
  'a pod that talks and does not answer whether it is there is believed after `backend.gone` and %i ms: %i times',
  (more, times) => {
    const { goneMs, link, socket } = legs();
    const now = 1_000 + goneMs + more;
    const believe = vi.fn();
    Object.assign(socket, { heardAtMs: now, heardDataAtMs: now, inDoubtSinceMs: 1_000, believe });
    expect(link.beat(now, HEARTBEAT)).toBe(0);
    expect(believe).toHaveBeenCalledTimes(times);
  },
);

test('one that is silent for so long is gone, whatever is believed of it', () => {
  const { goneMs, link, socket } = legs();
  const believe = vi.fn();
  Object.assign(socket, { inDoubtSinceMs: 0, believe });
  expect(link.beat(goneMs, HEARTBEAT)).toBe(goneMs);
  expect(believe).not.toHaveBeenCalled();
});

test('one that is not read cannot answer, and is not believed', () => {
  const { goneMs, link, socket } = legs();
  const believe = vi.fn();
  Object.assign(socket, { isPaused: true, inDoubtSinceMs: 0, believe });
  expect(link.beat(2 * goneMs, HEARTBEAT)).toBe(0);
  expect(believe).not.toHaveBeenCalled();
});

test('whoever was passed frames needs no heart-beat', () => {
  const { client, socket } = legs();
  const said = vi.fn();
  Object.assign(socket, { send: said, passFrames: () => {}, heardAtMs: 60_000 });
  client.setBeats(10_000, 0, 0);
  for (let now = 1_000; now <= 60_000; now += 1_000) {
    client.passFrames(new Uint8Array(1), 0, 1, now);
    client.beat(now, HEARTBEAT);
  }
  expect(said).not.toHaveBeenCalled();
  client.beat(70_000, HEARTBEAT);
  expect(said).toHaveBeenCalledOnce();
});
