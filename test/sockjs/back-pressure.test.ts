/** Whoever is slow is waited for, over HTTP as over a WebSocket: the other side is not read, and nothing is lost. */
import { request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SENDS_WAITING_MAX } from '../../proxy/listeners/sockjs/sends.ts';
import { eventually, startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';
import { ALICE, ask, newSession, Stream, sent, textsOf } from './http.ts';

const KIB = 1024;
const HIGH_MARK = 64 * KIB;
/** More than the kernel and the high mark take. */
const PLENTY = 64 * KIB * KIB;

async function connected(flags: readonly string[] = []) {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod], ['--client-high-mark', '64KiB', '--backend-gone', '1m', ...flags]);
  const url = newSession(`${proxy.http}/ws`);
  await ask(`${url}/xhr`);
  await ask(`${url}/xhr_send`, { body: sent('CONNECT', { 'accept-version': '1.2', 'heart-beat': '0,0' }) });
  await ask(`${url}/xhr`);
  return { pod, proxy, url, link: await pod.link(0) };
}

type Link = Awaited<ReturnType<typeof connected>>['link'];

/** Sends numbered MESSAGEs until the pod's socket holds a megabyte that the proxy does not take. */
async function flood(link: Link): Promise<number> {
  let count = 0;
  for (let bytes = 0; link.socket.bufferedAmount < KIB * KIB; bytes += 8 * KIB) {
    if (bytes > PLENTY) throw new Error('everything is taken: nobody has stopped reading');
    link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, `${count++}:`.padEnd(8 * KIB, 'x'));
    if (count % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}

const numbersIn = (frame: string) => textsOf(frame).map((text) => Number(text.split('\n\n')[1]?.split(':')[0]));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a slow client', () => {
  test('that polls gets no more at once than the high mark and a read, and all of it in order', async () => {
    const { url, link, proxy } = await connected();
    const count = await flood(link);
    expect(await proxy.metric('holdfast_paused{side="link"}')).toBe(1);
    const numbers: number[] = [];
    while (numbers.length < count) {
      const { body } = await ask(`${url}/xhr`);
      // A read of the link brings up to 64 KiB, and a frame that was begun before.
      expect(body.length).toBeLessThan(HIGH_MARK + (64 + 16) * KIB);
      numbers.push(...numbersIn(body));
    }
    expect(numbers).toEqual(upTo(count));
    await proxy.metricIs('holdfast_paused{side="link"}', 0);
  });

  test('of a stream that does not read stops the reading of its pod; it goes on when the client reads', async () => {
    const { url, link } = await connected();
    const paused = await Stream.open(`${url}/xhr_streaming`);
    paused.response.pause();
    const count = await flood(link);
    paused.response.resume();
    const numbers: number[] = [];
    for (let stream = paused; numbers.length < count; stream = await Stream.open(`${url}/xhr_streaming`)) {
      for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
        if (frame.startsWith('a')) numbers.push(...numbersIn(frame));
        if (numbers.length === count) break;
      }
    }
    expect(numbers).toEqual(upTo(count));
  });

  test('is closed after slow-max, and its pod’s link with it', async () => {
    const { url, link, proxy } = await connected(['--client-slow-max', '1s']);
    const stream = await Stream.open(`${url}/xhr_streaming`);
    stream.response.pause();
    await flood(link);
    await link.closed;
    await proxy.metricIs('holdfast_client_closes_total{reason="client-slow"}', 1);
  });
});

test('a slow pod stops the reading of its client; all bodies are answered when it takes what there is', async () => {
  const { url, link, proxy } = await connected();
  const keepsOpen = await Stream.open(`${url}/xhr_streaming`);
  await keepsOpen.next();
  link.socket.pause();
  const frame = JSON.parse(sent('SEND', { destination: '/e' }, 'x'.repeat(60 * KIB))) as string[];
  const body = JSON.stringify(Array.from({ length: 16 }, () => frame).flat());
  const answers = Array.from({ length: SENDS_WAITING_MAX }, () => ask(`${url}/xhr_send`, { body }));
  await proxy.metricIs('holdfast_paused{side="client"}', 1);
  link.socket.resume();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 204));
  await eventually(() => {
    expect(link.frames.filter(({ command }) => command === 'SEND')).toHaveLength(answers.length * 16);
  });
});

describe('bodies that wait', () => {
  test.each([
    [SENDS_WAITING_MAX - 1, []],
    [SENDS_WAITING_MAX, []],
    [SENDS_WAITING_MAX + 1, [429]],
  ])('%i behind one that does not end: %j are refused', async (waiting, refused) => {
    const { url } = await connected();
    const slow = request(`${url}/xhr_send`, { method: 'POST', headers: ALICE });
    slow.on('error', () => {});
    slow.flushHeaders();
    onTestFinished(() => void slow.destroy());
    const keepsOpen = await Stream.open(`${url}/xhr_streaming`);
    await keepsOpen.next();
    const statuses: number[] = [];
    const asked = Array.from({ length: waiting }, async () => {
      const { status } = await ask(`${url}/xhr_send`, { body: '["\\n"]' });
      statuses.push(status);
    });
    if (refused.length > 0) await eventually(() => expect(statuses).toEqual(refused));
    slow.end('["\\n"]');
    await Promise.all(asked);
    expect(statuses.filter((status) => status !== 204)).toEqual(refused);
  });
});

test('a body as large as it likes is taken, message by message', async () => {
  const { url, link } = await connected();
  const frames = Array.from({ length: 400 }, (_, n) =>
    JSON.parse(sent('SEND', { destination: '/e' }, `${n}:`.padEnd(16 * KIB))),
  );
  const { status } = await ask(`${url}/xhr_send`, { body: JSON.stringify(frames.flat()) });
  expect(status).toBe(204);
  await eventually(() => {
    const sends = link.frames.filter(({ command }) => command === 'SEND');
    expect(sends.map(({ body }) => Number(Buffer.from(body).toString().split(':')[0]))).toEqual(upTo(400));
  });
});

test('one message of a body may be as large as a frame in JSON, and no larger', async () => {
  const { url } = await connected(['--limits-frame', '4KiB', '--limits-header', '1KiB']);
  const max = 6 * (4 + 1) * KIB;
  const blank = (chars: number) => `["${'\\n'.repeat((chars - 2) / 2)}"]`;
  expect((await ask(`${url}/xhr_send`, { body: blank(max) })).status).toBe(204);
  const refused = await ask(`${url}/xhr_send`, { body: blank(max + 2) });
  expect(refused).toMatchObject({ status: 500, body: `A message is larger than ${max} characters of JSON.` });
});
