import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FollowedRing, type FollowOptions, followRing } from '../../producer/follow-ring.ts';
import { writeRing } from '../../producer/ring-json.ts';
import { snapshotOf } from '../../producer/ring-source.ts';
import { closed, listening } from './http-pod.ts';
import { LogRecorder } from './log-recorder.ts';
import { VirtualClock } from './virtual-clock.ts';

const json = (...names: string[]) =>
  JSON.stringify(writeRing(snapshotOf(names.map((name) => ({ name, address: `${name}:80` })))));
const event = (data: string) => `event: ring\ndata: ${data}\n\n`;

/** A proxy of which only `/v1/ring` is there, answered by the test. */
class RingDoor extends EventEmitter {
  readonly server: Server = createServer((request, response) => this.emit('request', request, response));
  address = '';
  close = async () => {};

  async start(): Promise<void> {
    Object.assign(this, await listening(this.server));
  }

  async request(): Promise<[IncomingMessage, ServerResponse]> {
    return (await once(this, 'request')) as [IncomingMessage, ServerResponse];
  }

  async stream(...events: string[]): Promise<ServerResponse> {
    const [, response] = await this.request();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.join(''));
    return response;
  }
}

describe('following the ring of a proxy', () => {
  const proxy = new RingDoor();
  let log: LogRecorder;
  let rings: FollowedRing | undefined;

  const follow = (options: FollowOptions = {}) => {
    rings = followRing(`http://${proxy.address}/v1/ring`, { log, random: () => 0, ...options });
    return rings;
  };
  const keys = () => rings?.current()?.committed.keys;

  beforeEach(async () => {
    log = new LogRecorder();
    await proxy.start();
  });

  afterEach(async () => {
    rings?.close();
    rings = undefined;
    await proxy.close();
  });

  test('asks for the stream and learns each ring of it', async () => {
    const source = follow({ headers: { authorization: 'Bearer t' } });
    expect(source.current()).toBeUndefined();
    const [request, response] = await proxy.request();
    expect([request.url, request.headers.accept, request.headers.authorization]).toEqual([
      '/v1/ring',
      'text/event-stream',
      'Bearer t',
    ]);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event(json('a')));
    await source.ready();
    expect([keys(), source.status()]).toEqual([['a'], { connected: true, failures: 0, lastError: undefined }]);
    response.write(event(json('a', 'b')));
    await log.next('ring learnt');
    expect(keys()).toEqual(['a', 'b']);
  });

  test('asks again when the stream ends, and keeps what it knows meanwhile', async () => {
    const source = follow();
    const first = await proxy.stream(event(json('a')));
    await source.ready();
    first.end();
    expect(await log.next('ring stream lost')).toMatchObject({ error: 'the proxy ended the stream' });
    expect([keys(), source.status().connected]).toEqual([['a'], false]);
    await proxy.stream(event(json('a', 'b')));
    await log.next('ring learnt');
    expect([keys(), source.status()]).toMatchObject([['a', 'b'], { connected: true, failures: 1 }]);
  });

  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['a proxy that is not ready', (r) => void r.writeHead(503).end(), /status 503/],
    [
      'JSON instead of a stream',
      (r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      /content type application\/json/,
    ],
    [
      'a ring that cannot be read',
      (r) => void r.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('{}')),
      /keyKind/,
    ],
    [
      'a ring of another version',
      (r) =>
        void r
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write(event(json('a').replace(/"version":"./, '"version":"x'))),
      /says version "x/,
    ],
    ['a reset', (r) => void r.socket?.resetAndDestroy(), /ECONNRESET|hang up/],
  ])('%s is an error with a name, and is tried again', async (_, answer, text) => {
    const source = follow();
    const [, response] = await proxy.request();
    const lost = log.next('ring stream lost');
    answer(response);
    expect(await lost).toMatchObject({ error: expect.stringMatching(text) });
    expect(source.status()).toMatchObject({ connected: false, failures: 1, lastError: expect.stringMatching(text) });
    await proxy.stream(event(json('a')));
    await source.ready();
    expect(source.status()).toEqual({ connected: true, failures: 1, lastError: undefined });
  });

  test('a bad ring on a good stream changes nothing but the status', async () => {
    const source = follow();
    const stream = await proxy.stream(event(json('a')));
    await source.ready();
    stream.write(event('nonsense'));
    expect(await log.next('ring stream lost')).toMatchObject({ error: 'the answer is not JSON' });
    expect(keys()).toEqual(['a']);
  });

  test('waits longer and longer, up to the cap, while the proxy is away', async () => {
    const clock = new VirtualClock();
    await proxy.close();
    follow({ clock, random: () => 0.999_999 });
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { retryMs } = await log.next('ring stream lost');
      waits.push(Math.round(Number(retryMs)));
      void clock.advance(10_000);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test('a stream without a sign of life is given up; comments are signs of life', async () => {
    const clock = new VirtualClock();
    const source = follow({ clock, silenceMs: 45_000 });
    const stream = await proxy.stream(event(json('a')));
    await source.ready();
    await clock.advance(44_999);
    expect(source.status().connected).toBe(true);
    stream.write(`: beat\n\n${event(json('a', 'b'))}`);
    await log.next('ring learnt');
    await clock.advance(44_999);
    expect(source.status().connected).toBe(true);
    const again = proxy.request();
    await clock.advance(1);
    expect(source.status()).toMatchObject({ connected: false, lastError: 'nothing heard for 45000 ms' });
    await clock.advance(0);
    await again;
  });

  test('closing ends the connection and the waiting for a first ring', async () => {
    const clock = new VirtualClock();
    const source = follow({ clock });
    const [request] = await proxy.request();
    const gone = closed(request.socket);
    const ready = source.ready();
    source.close();
    await expect(ready).rejects.toThrow('closed before the proxy told a ring');
    await gone;
    expect([clock.pendingTimers, source.status()]).toEqual([
      0,
      { connected: false, failures: 0, lastError: undefined },
    ]);
  });

  test('takes http and https only', () => {
    expect(() => followRing('ftp://proxy/v1/ring')).toThrow(TypeError);
    expect(() => followRing('proxy:9090')).toThrow(TypeError);
  });
});
