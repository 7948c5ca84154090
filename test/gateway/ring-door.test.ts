import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { followRing, type RingSnapshot, readRing, snapshotOf, writeRing } from '../../producer/index.ts';
import { createRingDoor, type RingDoorOptions } from '../../proxy/gateway/index.ts';
import { createMetrics } from '../../proxy/metrics.ts';
import { type AdminHarness, json, startAdmin } from '../admin/harness.ts';
import { LogRecorder } from '../producer/log-recorder.ts';

const snapshot = (...names: string[]) => snapshotOf(names.map((name) => ({ name, address: `${name}:80` })));

/** Rings that a test changes. */
class Rings {
  #current = snapshot('a');
  readonly #subscribers = new Set<() => void>();

  current(): RingSnapshot {
    return this.#current;
  }

  subscribe(changed: () => void): () => void {
    this.#subscribers.add(changed);
    return () => this.#subscribers.delete(changed);
  }

  become(next: RingSnapshot): void {
    this.#current = next;
    for (const changed of this.#subscribers) changed();
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }
}

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(options: Partial<RingDoorOptions> = {}): Promise<AdminHarness & { rings: Rings; ring: string }> {
  const rings = new Rings();
  const metrics = createMetrics({ process: false });
  const admin = await startAdmin({ metrics, doors: [createRingDoor({ ring: rings, metrics, ...options })] });
  ended.push(() => admin.admin.close());
  return { ...admin, rings, ring: `${admin.url}/v1/ring` };
}

/** An open stream, read event by event. */
async function open(url: string) {
  const abort = new AbortController();
  ended.push(() => abort.abort());
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  return { response, next: async () => (await reader.read()).value, close: () => abort.abort() };
}

const streams = async ({ url }: { url: string }) =>
  /holdfast_ring_streams (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1];

describe('/v1/ring', () => {
  test('is the rings as JSON', async () => {
    const { ring } = await start();
    const { status, body } = await json(await fetch(ring));
    expect(status).toBe(200);
    expect(body).toEqual(writeRing(snapshot('a')));
  });

  test('as a stream begins with the rings of now and goes on with each change', async () => {
    const { ring, rings } = await start();
    const stream = await open(ring);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    const event = (s: RingSnapshot) => `event: ring\ndata: ${JSON.stringify(writeRing(s))}\n\n`;
    expect(await stream.next()).toBe(event(snapshot('a')));
    rings.become(snapshot('a', 'b'));
    expect(await stream.next()).toBe(event(snapshot('a', 'b')));
    rings.become(snapshot('a', 'b'));
    rings.become(snapshot('b'));
    expect(await stream.next()).toBe(event(snapshot('b')));
  });

  test('beats each 15 s, also where nothing changes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    ended.push(() => vi.useRealTimers());
    const { ring } = await start();
    const stream = await open(ring);
    await stream.next();
    vi.advanceTimersByTime(15_000);
    expect(await stream.next()).toBe(': beat\n\n');
  });

  test('is what the library follows', async () => {
    const { ring, rings } = await start();
    const log = new LogRecorder();
    const followed = followRing(ring, { log });
    ended.push(() => followed.close());
    expect((await followed.ready()).committed.keys).toEqual(['a']);
    rings.become({ ...snapshot('a', 'b'), committed: snapshot('a').committed });
    await log.next('ring learnt');
    const now = followed.current();
    expect([now?.committed.keys, now?.target.keys, now?.podOf('b')?.address]).toEqual([['a'], ['a', 'b'], 'b:80']);
  });

  test.each([1, 2])(
    '%i streams fit where that many may be; a place is free again when one ends',
    async (maxStreams) => {
      const world = await start({ maxStreams });
      const all = [];
      for (let i = 0; i < maxStreams; i++) all.push(await open(world.ring));
      expect(await streams(world)).toBe(`${maxStreams}`);
      const turnedAway = await fetch(world.ring, { headers: { accept: 'text/event-stream' } });
      expect([turnedAway.status, turnedAway.headers.get('retry-after')]).toEqual([503, '10']);
      await turnedAway.json();
      expect((await json(await fetch(world.ring))).status).toBe(200);
      all[0]?.close();
      while ((await streams(world)) !== `${maxStreams - 1}`);
      const again = await open(world.ring);
      expect(again.response.status).toBe(200);
    },
  );

  test('a reader that does not read is cut, the others are not', async () => {
    const world = await start();
    const reader = await open(world.ring);
    const { hostname, port } = new URL(world.url);
    const deaf = connect(Number(port), hostname);
    ended.push(() => deaf.destroy());
    deaf.on('error', () => {});
    deaf.write('GET /v1/ring HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n');
    await once(deaf, 'readable');
    while ((await streams(world)) !== '2');
    const names = Array.from({ length: 1000 }, (_, i) => `pod-${i}-${'x'.repeat(100)}`);
    const big = [
      snapshotOf(
        names.map((name) => ({ name, address: `${name}:80` })),
        { pointsPerPod: 1 },
      ),
      snapshot('a'),
    ];
    let text = '';
    const reading = (async () => {
      for (let part = await reader.next(); part !== undefined; part = await reader.next()) text += part;
    })().catch(() => {});
    for (let i = 0; (await streams(world)) !== '1'; i++) world.rings.become(big[i % 2] ?? snapshot('a'));
    world.rings.become(snapshot('last'));
    while (!text.includes('"last"')) await new Promise((resolve) => setImmediate(resolve));
    reader.close();
    await reading;
    const last = /event: ring\ndata: ({[^\n]*"last"[^\n]*})\n/.exec(text)?.[1] ?? '';
    expect(readRing(last).committed.keys).toEqual(['last']);
  });

  test('closing the port ends the streams and the subscription', async () => {
    const { ring, rings, admin } = await start();
    const stream = await open(ring);
    await stream.next();
    await admin.close();
    expect([await stream.next(), rings.subscribers]).toEqual([undefined, 0]);
  });
});
