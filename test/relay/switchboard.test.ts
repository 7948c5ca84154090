/** Many sessions at once: what is counted is right at every rest, and nothing stays behind. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Pod } from '../../proxy/discovery/index.ts';
import { PACE_MS } from '../../proxy/relay/paced.ts';
import type { Dial } from '../../proxy/relay/ports.ts';
import { Relay } from '../../proxy/relay/relay.ts';
import { type Observer, Switchboard } from '../../proxy/relay/switchboard.ts';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';
import { Routing } from '../../proxy/routing/index.ts';
import { LATE_MS, WINDOW_MIN } from '../../proxy/routing/loop-window.ts';
import { NO_OWN_HEADERS } from '../../proxy/session/index.ts';
import { routingOptions, switchboardOptions } from '../../proxy/settings.ts';
import { Decoder, encode, frameOf } from '../../stomp/index.ts';
import { started } from '../backend/tools.ts';
import { startChild } from '../support/child.ts';
import { RawClient } from '../support/client.ts';
import { configFrom, eventually, type PodEntry, startProxy } from '../support/proxy.ts';

/** Timers, sockets and the like that keep the process alive. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe('a switchboard', () => {
  const pods: Pod[] = ['a', 'b'].map((name) => ({ id: name, name, address: `${name}:1`, state: 'serving' }));

  /** A WebSocket that never opens; enough for everything up to the dial. */
  function deaf(): PlainSocket {
    const handlers = { onMessage: () => {}, onClose: () => {}, onDrain: () => {} };
    const limits = { highMarkBytes: 1024, maxMessageBytes: 1024, maxParts: 1, closeMaxMs: 1 };
    return new PlainSocket({ peer: 'server', checksText: false, ...limits }, handlers, () => performance.now());
  }

  function setUp(flags: readonly string[] = [], watching: Partial<Observer> = {}) {
    const config = configFrom(['--pods', 'a=127.0.0.1:1', ...flags]);
    const ticks: number[] = [];
    const routing = new Routing(routingOptions(config), Math.random);
    const decide = routing.tick.bind(routing);
    routing.tick = (now, turnMs) => {
      ticks.push(now);
      return decide(now, turnMs);
    };
    const dialed: string[] = [];
    const dial: Dial = {
      dial: (pod) => {
        dialed.push(pod.name);
        return deaf();
      },
    };
    const observer: Observer = {
      fact: () => {},
      forwarded: () => {},
      ringChanged: () => {},
      bounced: () => {},
      failed: () => {},
      ...watching,
    };
    const board = new Switchboard(switchboardOptions(config), routing, dial, observer, () => performance.now());
    const connect = frameOf(encode('CONNECT', { 'accept-version': '1.2' }), 'client');
    const open = (user: string) =>
      board.open({
        ...{ user, ringKey: user, connect, binary: false, socket: deaf(), decoder: new Decoder({ peer: 'client' }) },
        target: { path: '/', protocols: [], headers: [] },
        own: NO_OWN_HEADERS,
      });
    return { board, routing, open, ticks, dialed };
  }

  test('decides once per turn of the event loop, however many sessions ask', async () => {
    const { board, open, ticks, dialed } = setUp();
    board.topology({ pods, source: 'static' });
    for (let i = 0; i < WINDOW_MIN; i++) open(`user-${i}`);
    expect([ticks.length, dialed.length]).toEqual([0, 0]);
    await nextTurn();
    expect([ticks.length, dialed.length]).toEqual([1, WINDOW_MIN]);
    await board.close(10_000);
    expect([board.size, board.held]).toEqual([0, { bytes: 0, frames: 0 }]);
  });

  test('begins fewer links after a long turn of the event loop', async () => {
    const { board, open, dialed } = setUp();
    await nextTurn();
    board.topology({ pods, source: 'static' });
    for (let i = 0; i < 50; i++) open(`user-${i}`);
    for (const untilMs = performance.now() + 2 * LATE_MS; performance.now() < untilMs; );
    await nextTurn();
    expect(dialed).toHaveLength(WINDOW_MIN);
    await board.close(10_000);
  });

  test('a mistake of ours ends the session that it befell, and no other', async () => {
    const failed: string[] = [];
    const { board, open, dialed } = setUp([], { failed: ({ user }, error) => failed.push(`${user}: ${error}`) });
    board.topology({ pods: pods.slice(0, 1), source: 'static' });
    dialed.push = (pod) => {
      dialed.push = Array.prototype.push;
      throw new Error(`planted at ${pod}`);
    };
    for (const user of ['unlucky', 'lucky']) open(user);
    await nextTurn();
    expect(failed).toEqual(['unlucky: Error: planted at a']);
    expect([board.size, [...dialed], board.governed.inFlight]).toEqual([1, ['a'], 1]);
    await board.close(10_000);
  });

  test('tells who follows it of users and of what it is ready to commit, when that has changed and not else', async () => {
    const { board, open } = setUp(['--workers', '2']);
    const told: unknown[] = [];
    board.followedBy({ decided: (ready, users) => told.push([ready === board.rings().target.version, ...users]) });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    board.topology({ pods, source: 'static' });
    await turn();
    expect(told.splice(0)).toEqual([[true]]);
    board.permitCommit(board.rings().target.version);
    await turn();
    board.permitCommit(board.rings().target.version);
    await turn();
    expect([told, board.rings().committed.keys]).toEqual([[], ['a', 'b']]);
    open('alice');
    await turn();
    expect(told.splice(0)).toEqual([[true, ['alice', { key: undefined, settlesInMs: 0 }]]]);
    await board.close(10_000);
  });

  test('tells sessions of a commit at a pace, and one before it is granted a link', async () => {
    const told: string[] = [];
    const watch = (method: 'committed' | 'granted', words: (relay: Relay) => string) => {
      const spy = vi.spyOn(Relay.prototype, method).mockImplementation(function (this: Relay) {
        told.push(words(this));
      });
      onTestFinished(() => spy.mockRestore());
    };
    watch('committed', ({ id }) => `committed ${id}`);
    watch('granted', ({ id }) => `granted ${id}`);
    // A machine that is late would let a pace go by in between.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { board, routing, open } = setUp();
    const decisions = [
      { grants: [], committed: Array.from({ length: 60 }, (_, i) => i + 1), wereApart: [], bounced: 0 },
      {
        grants: [{ session: 50, cause: 'handover' as const, pod: pods[0] as Pod }],
        committed: [],
        wereApart: [],
        bounced: 0,
      },
    ];
    routing.tick = () => decisions.shift() ?? { grants: [], committed: [], wereApart: [], bounced: 0 };
    for (let i = 0; i < 60; i++) open(`user-${i}`);
    await new Promise(setImmediate);
    expect(told).toEqual(Array.from({ length: 20 }, (_, i) => `committed ${i + 1}`));
    board.permitCommit('');
    await new Promise(setImmediate);
    expect(told.slice(20)).toEqual(['committed 50', 'granted 50']);
    vi.advanceTimersByTime(PACE_MS);
    expect(told).toHaveLength(42);
    vi.advanceTimersByTime(PACE_MS);
    expect(told).toHaveLength(61);
    expect(new Set(told).size).toBe(61);
    const closed = board.close(10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
  });

  test('sets no timer after it is closed in the middle of a decision', async () => {
    const { board } = setUp(['--topology-admit-after', '1m']);
    board.topology({ pods: pods.slice(0, 1), source: 'static' });
    await nextTurn();
    // The second pod would be let in a minute from now.
    board.topology({ pods, source: 'static' });
    await board.close(10_000);
    const later = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => later.mockRestore());
    await nextTurn();
    expect(later).not.toHaveBeenCalled();
  });
});

describe('a proxy', () => {
  test('tells routing that a pod which was left is read no more', async () => {
    const drained = vi.spyOn(Routing.prototype, 'drained');
    onTestFinished(() => drained.mockRestore());
    const pods = [await started({ name: 'a' }), await started({ name: 'b' })];
    const proxy = await startProxy(pods, ['--handover-drain-max', '50ms']);
    await RawClient.connect(proxy.ws, { user: 'alice' });
    const [from = '', to = ''] = pods.map(({ name }) => name).sort((a) => (hasSession(a) ? -1 : 1));
    proxy.setPods(pods.map(({ name, address }) => ({ name, address, state: name === from ? 'draining' : 'serving' })));
    await eventually(() => expect(drained).toHaveBeenCalledWith(1, expect.objectContaining({ name: from })));
    expect(hasSession(to)).toBe(true);

    function hasSession(name: string): boolean {
      return pods.some((pod) => pod.name === name && pod.sessions() === 1);
    }
  });

  test('after 200 random connects, moves and ends everything is back where it was', async () => {
    const backends = [await started({ name: 'a' }), await started({ name: 'b' }), await started({ name: 'c' })];
    const proxy = await startProxy(backends, ['--handover-drain-max', '50ms', '--handover-order-quiet', '10ms']);
    const [seed = 0] = fc.sample(fc.integer(), 1);
    const random = fc.sample(fc.tuple(fc.nat(9), fc.nat(), fc.boolean()), { numRuns: 200, seed });
    const clients: RawClient[] = [];
    const leave = async (client: RawClient, politely: boolean) => {
      if (politely) client.send('DISCONNECT', { receipt: 'bye' });
      else client.socket.terminate();
      await client.closed;
    };
    for (const [what, which, politely] of random) {
      if (what < 5) {
        const client = await RawClient.connect(proxy.ws, { user: `user-${which % 20}` });
        client.send('SUBSCRIBE', { id: 1, destination: '/topic/all' });
        clients.push(client);
      } else if (what < 8) {
        const [client] = clients.splice(which % Math.max(1, clients.length), 1);
        if (client !== undefined) await leave(client, politely);
      } else {
        const entries: PodEntry[] = backends.map(({ name, address }, i) => ({
          ...{ name, address, state: i === which % 4 ? 'draining' : 'serving' },
        }));
        proxy.setPods(entries);
      }
    }
    for (const client of clients) expect(client.socket.readyState, `closed; seed ${seed}`).toBe(client.socket.OPEN);
    const total = async () => {
      let sum = 0;
      for (const { name } of backends) sum += await proxy.metric(`holdfast_sessions{pod="${name}"}`);
      return sum;
    };
    await eventually(async () => expect(await total()).toBe(clients.length));
    await eventually(() => expect(backends.reduce((sum, pod) => sum + pod.sessions(), 0)).toBe(clients.length));
    for (const client of clients) await leave(client, true);
    await proxy.metricIs('holdfast_clients', 0);
    expect(await total()).toBe(0);
    await eventually(() => expect(backends.map((pod) => pod.sessions())).toEqual([0, 0, 0]));
    await proxy.metricIs('holdfast_held_bytes', 0);
    await proxy.metricIs('holdfast_governor_in_flight', 0);
    await proxy.metricIs('holdfast_governor_queue', 0);
  });
});

describe('stop()', () => {
  test('tells every client 1012, those without a session too; the port is free, and nothing is left', async () => {
    const pod = await started();
    const before = resources();
    const proxy = await startProxy([pod]);
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await RawClient.connect(proxy.ws, { user: `user-${i}` }));
    const waiting = await RawClient.open(proxy.ws, { user: 'waiting' });
    const stopped = proxy.stop();
    for (const client of clients) expect(await client.closed).toEqual({ code: 1012, reason: 'service restart' });
    expect((await waiting.frame('ERROR')).header('message')).toBe('service restart');
    expect((await waiting.closed).code).toBe(1012);
    await stopped;
    await expect(fetch(proxy.http)).rejects.toThrow();
    await eventually(() => expect(pod.sessions()).toBe(0));
    // Not by a timer of its own, which would be one of them.
    const more = () => {
      const now = resources();
      return ['TCPServerWrap', 'TCPSocketWrap', 'Timeout', 'FSEventWrap'].filter(
        (kind) => (now[kind] ?? 0) > (before[kind] ?? 0),
      );
    };
    const untilMs = performance.now() + 5_000;
    while (more().length > 0 && performance.now() < untilMs) await nextTurn();
    expect(more()).toEqual([]);
  });

  test('cuts a client that does not answer the close', async () => {
    const pod = await started();
    const proxy = await startProxy([pod]);
    const client = await RawClient.connect(proxy.ws, { user: 'alice' });
    client.socket.pause();
    await proxy.stop();
    client.socket.resume();
    expect((await client.closed).code).toBe(1012);
  });

  test('a process on SIGTERM closes its clients and ends by itself', async () => {
    const pod = await started();
    const child = startChild('proxy/main.ts', [
      ...['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--user', 'header:Username'],
      ...['--pods', `pod-1=${pod.address}`, '--trusted-peers', '127.0.0.1'],
    ]);
    const { listen } = await child.line(({ msg }) => msg === 'holdfast serves');
    const client = await RawClient.connect(`${String(listen).replace('http', 'ws')}/ws`, { user: 'alice' });
    const ended = new Promise<number | null>((resolve) => child.process.once('exit', resolve));
    child.signal('SIGTERM');
    expect((await client.closed).code).toBe(1012);
    expect(await ended).toBe(0);
  });
});
