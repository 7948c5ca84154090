/** sockjs-protocol 0.3.3, the cases that hold for a proxy: what is asked and answered, one by one. */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DISCONNECT_DELAY_MS } from '../../proxy/listeners/sockjs/http-socket.ts';
import { RawClient } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';
import { ALICE, ask, newSession, Stream, sent, textsOf } from './http.ts';

const PAGE = 'http://page.example.com';
const BOB = { username: 'bob' };

async function setUp(flags: readonly string[] = []) {
  const pod = await scriptedPod('pod-1', { onFrame: echo });
  const proxy = await startProxy([pod], ['--origins', PAGE, ...flags]);
  const base = `${proxy.http}/ws`;
  return { pod, proxy, base, url: newSession(base) };
}

function echo(link: PodLink, { command, body }: { command: string; body: Uint8Array }): void {
  if (command === 'SEND') link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/e' }, body);
}

/** What a client gets of `echo`, octet for octet. */
const echoed = (body: string) =>
  `MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/e\ncontent-length:${body.length}\n\n${body}\0`;

/** Polls until a frame comes that is no heart-beat; each poll has one. */
async function poll(url: string, headers = ALICE): Promise<string> {
  const { status, body } = await ask(`${url}/xhr`, { headers });
  expect(status).toBe(200);
  expect(body).toMatch(/^.+\n$/);
  return body.slice(0, -1);
}

const send = (url: string, body: string, headers: Record<string, string> = ALICE) =>
  ask(`${url}/xhr_send`, { body, headers });

/** Opens a session by a poll and connects. */
async function connected(url: string): Promise<void> {
  expect(await poll(url)).toBe('o');
  expect((await send(url, sent('CONNECT', { 'accept-version': '1.2' }))).status).toBe(204);
  expect(textsOf(await poll(url))[0]).toMatch(/^CONNECTED\n/);
}

describe('/info', () => {
  test('says what a client needs, is never the same, and is not stored', async () => {
    const { base } = await setUp();
    const answers = [await ask(`${base}/info`, { method: 'GET' }), await ask(`${base}/info`, { method: 'GET' })];
    const [first, second] = answers.map(({ body }) => JSON.parse(body) as { entropy: number });
    expect(first).toEqual({ websocket: true, origins: ['*:*'], cookie_needed: true, entropy: expect.any(Number) });
    expect(second?.entropy).not.toBe(first?.entropy);
    expect(answers[0]).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=UTF-8' } });
    expect(answers[0]?.headers['cache-control']).toContain('no-store');
    expect(answers[0]?.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('needs no user and no pod', async () => {
    const proxy = await startProxy([]);
    expect((await ask(`${proxy.http}/ws/info`, { method: 'GET', headers: {} })).status).toBe(200);
  });
});

describe('pages of other origins', () => {
  const foreign = { ...ALICE, origin: 'http://foreign.example.com' };

  test.each(['/info', '/000/a/xhr', '/000/a/xhr_send', '/000/a/xhr_streaming', '/000/a/eventsource'])(
    '%s: those that may connect read the answer with their cookies, others get 403',
    async (path) => {
      const { base } = await setUp();
      const method = /info|eventsource/.test(path) ? 'GET' : 'POST';
      const allowed = await Stream.open(base + path, { method, headers: { ...ALICE, origin: PAGE } });
      expect(allowed.response.headers['access-control-allow-origin'] ?? '403').toBe(/send/.test(path) ? '403' : PAGE);
      if (!/send/.test(path)) expect(allowed.response.headers['access-control-allow-credentials']).toBe('true');
      const refused = await ask(base + path, { method, headers: foreign });
      expect(refused.status).toBe(403);
      expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  test('ask before, and are told what they may', async () => {
    const { url } = await setUp();
    const asking = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'a, b' };
    const { status, headers } = await ask(`${url}/xhr`, { method: 'OPTIONS', headers: { ...asking, origin: PAGE } });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'OPTIONS, POST',
      'access-control-allow-headers': 'a, b',
      'cache-control': 'public, max-age=31536000',
    });
    expect((await ask(`${url}/xhr`, { method: 'OPTIONS', headers: foreign })).status).toBe(403);
  });
});

describe('targets', () => {
  test.each([
    ['GET', '/000/a/xhr', 405],
    ['GET', '/000/a/xhr_send', 405],
    ['POST', '/000/a/eventsource', 405],
    ['POST', '/000/a/websocket', 405],
    ['POST', '/info', 405],
    ['GET', '/000/a/websocket', 400],
    ['GET', '/000/a/jsonp?c=x', 404],
    ['POST', '/000/a/jsonp_send', 404],
    ['GET', '/000/a/htmlfile?c=x', 404],
    ['POST', '/000/unknown/xhr_send', 404],
  ])('%s %s: %i', async (method, path, status) => {
    const { base, pod } = await setUp();
    expect((await ask(base + path, { method, body: '["a"]' })).status).toBe(status);
    expect(pod.links).toEqual([]);
  });

  test.each(['//a/xhr', '/a//xhr', '/a./a/xhr', '/a/a./xhr', '/a/a/a/xhr', '/a/xhr', '/a/a/xhrs', '/a/a/XHR'])(
    '%s is none of SockJS, and goes to the pod as any request',
    async (path) => {
      const { base } = await setUp();
      // The pod of this test takes WebSockets only, so it never answers; the way there is what counts.
      const { status } = await ask(base.replace('/ws', '/other') + path, { method: 'DELETE', headers: {} });
      expect(status).toBe(401);
    },
  );

  test('any server id will do, and it names nothing', async () => {
    const { base } = await setUp();
    const session = newSession(base).split('/').at(-1);
    expect(await poll(`${base}/_/${session}`)).toBe('o');
    expect((await send(`${base}/i-j%20/${session}`, sent('CONNECT', { 'accept-version': '1.2' }))).status).toBe(204);
    expect(textsOf(await poll(`${base}/999/${session}`))[0]).toMatch(/^CONNECTED\n/);
  });

  test.each(['/000/a/xhr', '/000/a/htmlfile', '/info'])('%s is no WebSocket', async (path) => {
    const { base, pod } = await setUp();
    const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`, { headers: ALICE });
    const status = await new Promise((resolve) => {
      socket.on('error', () => {});
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    expect(status).toBe(404);
    expect(pod.links).toEqual([]);
  });

  test('a raw WebSocket beside the endpoint passes as it is', async () => {
    const { base, pod } = await setUp();
    await RawClient.connect(`${base.replace('http', 'ws')}/websocket?token=x`, { user: 'alice' });
    expect((await pod.link(0)).request.url).toBe('/ws/websocket?token=x');
  });
});

describe('pods are asked', () => {
  test('for a raw WebSocket beside the endpoint, with the query and the headers of the first request', async () => {
    const { base, pod } = await setUp();
    const url = newSession(base);
    const headers = { ...ALICE, cookie: 'a=b', authorization: 'Bearer x', 'content-type': 'text/plain' };
    await ask(`${url}/xhr?token=t`, { headers });
    await ask(`${url}/xhr_send?token=t`, { headers, body: sent('CONNECT', { 'accept-version': '1.2' }) });
    const { request } = await pod.link(0);
    expect(request.url).toBe('/ws/websocket?token=t');
    expect(request.headers).toMatchObject({ cookie: 'a=b', authorization: 'Bearer x', 'holdfast-user': 'alice' });
    expect(request.headers['content-type']).toBeUndefined();
    expect(request.headers['sec-websocket-protocol']).toBe('v12.stomp,v11.stomp,v10.stomp');
  });

  test('at the upstream path, when there is one', async () => {
    const { url, pod } = await setUp(['--sockjs-upstream-path', '/stomp']);
    await connected(url);
    expect((await pod.link(0)).request.url).toBe('/stomp');
  });

  test('for other endpoints too', async () => {
    const { proxy, pod } = await setUp(['--sockjs-paths', '/a,/b/c']);
    const url = newSession(`${proxy.http}/b/c`);
    await connected(url);
    expect((await pod.link(0)).request.url).toBe('/b/c/websocket');
  });
});

describe('a session over polls', () => {
  test('opens, sends and receives', async () => {
    const { url } = await setUp();
    await connected(url);
    const { status, body, headers } = await send(url, sent('SEND', { destination: '/e' }, 'hello'));
    expect({ status, body }).toEqual({ status: 204, body: '' });
    expect(headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect(textsOf(await poll(url))).toEqual([echoed('hello')]);
  });

  test('takes frames over several strings and bodies, and several in one string', async () => {
    const { url } = await setUp();
    await connected(url);
    await send(url, JSON.stringify(['SEND\ndesti', '', 'nation:/e\n\nfi']));
    await send(url, JSON.stringify(['rst\0SEND\ndestination:/e\n\nsecond\0\n']));
    const texts: string[] = [];
    while (texts.length < 2) texts.push(...textsOf(await poll(url)));
    expect(texts.map((text) => text.split('\n\n')[1])).toEqual(['first\0', 'second\0']);
  });

  test('has one receiver at a time', async () => {
    const { url } = await setUp();
    await connected(url);
    const first = poll(url);
    expect(await poll(url)).toBe('c[2010,"Another connection still open"]');
    await send(url, sent('SEND', { destination: '/e' }, 'x'));
    expect(textsOf(await first)).toHaveLength(1);
  });

  test('takes no empty body and no broken JSON; after that it is over', async () => {
    const { url } = await setUp();
    await connected(url);
    expect(await send(url, '')).toMatchObject({ status: 500, body: 'Payload expected.' });
    expect((await send(url, '[]')).status).toBe(204);
    expect(await send(url, '["x')).toMatchObject({ status: 500, body: 'Broken JSON encoding.' });
    expect(await poll(url)).toBe('c[1002,"Connection interrupted"]');
    expect((await send(url, '["x"]')).status).toBe(204);
  });

  test('takes no body that is no UTF-8', async () => {
    const { url } = await setUp();
    await connected(url);
    const body = Buffer.from('["a\xff"]', 'latin1');
    expect(await ask(`${url}/xhr_send`, { body })).toMatchObject({ status: 500, body: 'Broken UTF-8 encoding.' });
    const cut = Buffer.from('["\xc3', 'latin1');
    const other = newSession(url.replace(/\/000\/.*/, ''));
    await connected(other);
    expect(await ask(`${other}/xhr_send`, { body: cut })).toMatchObject({ status: 500 });
  });

  test.each(['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml; charset=utf-8'])(
    'takes a body of content type %j',
    async (type) => {
      const { url } = await setUp();
      expect(await poll(url)).toBe('o');
      expect((await send(url, '["\\n"]', { ...ALICE, 'content-type': type })).status).toBe(204);
    },
  );

  test('ends when a poll breaks off, and says so', async () => {
    const { url, pod, proxy } = await setUp();
    await connected(url);
    const link = await pod.link(0);
    const stream = await Stream.open(`${url}/xhr_streaming`);
    expect(await stream.next()).toMatch(/^h{2048}$/);
    stream.abort();
    await link.closed;
    await proxy.metricIs('holdfast_client_closes_total{reason="client-left"}', 1);
    expect(await poll(url)).toBe('c[1002,"Connection interrupted"]');
    expect(await poll(url)).toBe('c[1002,"Connection interrupted"]');
  });

  test('is over when nothing was received for a while', async () => {
    const { url, pod } = await setUp();
    await connected(url);
    const sinceMs = performance.now();
    await (await pod.link(0)).closed;
    expect(performance.now() - sinceMs).toBeGreaterThan(DISCONNECT_DELAY_MS - 100);
    expect((await send(url, '["\\n"]')).status).toBe(404);
    expect(await poll(url)).toBe('o');
  });

  test('ends with DISCONNECT, its receipt first, and tells it again for a while', async () => {
    const { url } = await setUp();
    await connected(url);
    await send(url, sent('DISCONNECT', { receipt: 'bye' }));
    expect(textsOf(await poll(url))[0]).toMatch(/^RECEIPT\nreceipt-id:bye\n/);
    expect(await poll(url)).toBe('c[1000,""]');
    expect(await poll(url)).toBe('c[1000,""]');
  });
});

describe('a stream', () => {
  test('has its prelude, goes on, and ends when it gets large; the client comes back and misses nothing', async () => {
    const { url } = await setUp();
    const first = await Stream.open(`${url}/xhr_streaming`);
    expect(first.response.headers).toMatchObject({
      'content-type': 'application/javascript; charset=UTF-8',
      'x-accel-buffering': 'no',
    });
    expect(await first.next()).toBe('h'.repeat(2048));
    expect(await first.next()).toBe('o');
    await send(url, sent('CONNECT', { 'accept-version': '1.2' }));
    expect(textsOf(await first.next())[0]).toMatch(/^CONNECTED\n/);
    const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(50_000));
    for (const body of bodies) await send(url, sent('SEND', { destination: '/e' }, body));
    const received: string[] = [];
    const readAll = async (stream: Stream) => {
      for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
        if (frame.startsWith('a')) received.push(...textsOf(frame));
        if (received.length === bodies.length) return;
      }
    };
    await readAll(first);
    expect(received.length).toBe(3);
    await readAll(await Stream.open(`${url}/xhr_streaming`));
    expect(received.map((text) => text.split('\n\n')[1])).toEqual(bodies.map((body) => `${body}\0`));
  });

  test('of an event source has frames that survive the decoding of a URI', async () => {
    const { url } = await setUp();
    const stream = await Stream.open(`${url}/eventsource`, { method: 'GET' }, '\r\n');
    expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=UTF-8');
    const next = async () => {
      for (;;) {
        const line = await stream.next();
        if (line !== '') return decodeURI((line ?? '').replace('data: ', ''));
      }
    };
    expect(await next()).toBe('o');
    await send(url, sent('CONNECT', { 'accept-version': '1.2' }));
    expect(textsOf(await next())[0]).toMatch(/^CONNECTED\n/);
    await send(url, sent('SEND', { destination: '/e' }, '100 % é %20 \r\n\u2028'));
    expect(textsOf(await next())[0]).toMatch(/\n\n100 % é %20 \r\n\u2028\0$/);
  });

  test('beside another is turned away, with its prelude', async () => {
    const { url } = await setUp();
    const first = await Stream.open(`${url}/xhr_streaming`);
    await first.next();
    expect(await first.next()).toBe('o');
    const second = await Stream.open(`${url}/xhr_streaming`);
    expect(await second.next()).toBe('h'.repeat(2048));
    expect(await second.next()).toBe('c[2010,"Another connection still open"]');
    expect(await second.next()).toBeUndefined();
  });
});

describe('a WebSocket', () => {
  async function open(flags: readonly string[] = []) {
    const { base, ...rest } = await setUp(flags);
    const socket = new WebSocket(`${base.replace('http', 'ws')}/000/a/websocket`, { headers: ALICE });
    const frames: string[] = [];
    let wake = () => {};
    socket.on('message', (data: Buffer) => {
      frames.push(data.toString());
      wake();
    });
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    const next = async () => {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return frames.shift() as string;
    };
    expect(await next()).toBe('o');
    return { socket, next, closed, ...rest };
  }

  test('opens, ignores what is empty, sends and receives', async () => {
    const { socket, next } = await open();
    socket.send('');
    socket.send('[]');
    socket.send(sent('CONNECT', { 'accept-version': '1.2' }));
    expect(textsOf(await next())[0]).toMatch(/^CONNECTED\n/);
    socket.send(JSON.stringify('SEND\ndestination:/e\n\nas one string\0'));
    expect(textsOf(await next())).toEqual([echoed('as one string')]);
  });

  test('is closed for broken JSON', async () => {
    const { socket, closed, proxy } = await open();
    socket.send('["a');
    expect(await closed).toBe(1007);
    await proxy.metricIs('holdfast_protocol_errors_total{code="broken-framing"}', 1);
  });

  test('takes a frame of the largest size, though JSON makes it six times as large', async () => {
    const { socket, next } = await open(['--limits-frame', '4KiB']);
    socket.send(sent('CONNECT', { 'accept-version': '1.2' }));
    await next();
    const body = '\u0001'.repeat(4 * 1024 - 100);
    socket.send(sent('SEND', { destination: '/e', 'content-length': body.length }, body));
    expect(textsOf(await next())).toEqual([echoed(body)]);
  });

  test('gets ERROR and is closed when a message is no text', async () => {
    const { socket, next, closed, pod } = await open();
    socket.send(sent('CONNECT', { 'accept-version': '1.2' }));
    await next();
    const link = await pod.link(0);
    link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/e' }, Uint8Array.of(0xff, 0xfe));
    expect(textsOf(await next())[0]).toMatch(/^ERROR\nmessage:not text\n/);
    expect(await next()).toBe('c[1003,"not text"]');
    expect(await closed).toBe(1003);
  });
});

test('a message that is no text gets a polling client ERROR and a close, too', async () => {
  const { url, pod } = await setUp();
  await connected(url);
  const link = await pod.link(0);
  link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/e' }, Uint8Array.of(0xff));
  expect(textsOf(await poll(url))[0]).toMatch(/^ERROR\nmessage:not text\n/);
  expect(await poll(url)).toBe('c[1003,"not text"]');
});

describe('who may', () => {
  test('opens no session without a user', async () => {
    const { url } = await setUp();
    expect((await ask(`${url}/xhr`, { headers: {} })).status).toBe(401);
    expect((await send(url, '["a"]')).status).toBe(404);
  });

  test('another user sees no session', async () => {
    const { url } = await setUp();
    await connected(url);
    expect((await ask(`${url}/xhr`, { headers: BOB })).status).toBe(404);
    expect((await send(url, sent('SEND', { destination: '/e' }, 'x'), BOB)).status).toBe(404);
    expect((await send(url, '["\\n"]', {})).status).toBe(404);
    await send(url, sent('SEND', { destination: '/e' }, 'mine'));
    expect(textsOf(await poll(url))[0]).toMatch(/\n\nmine\0$/);
  });

  test('the same user is known by other words too, before CONNECT and after', async () => {
    const { url } = await setUp(['--user', 'query:user,header:Username']);
    expect((await ask(`${url}/xhr?user=alice`, { headers: {} })).body).toBe('o\n');
    expect((await send(url, sent('CONNECT', { 'accept-version': '1.2' }))).status).toBe(204);
    expect(textsOf(await poll(url))[0]).toMatch(/^CONNECTED\n/);
    expect((await send(url, '["\\n"]', BOB)).status).toBe(404);
  });

  test('a user who is named in CONNECT is known by what the first request said', async () => {
    const { url, pod } = await setUp(['--user', 'stomp-login,header:Username']);
    expect(await poll(url, {} as typeof ALICE)).toBe('o');
    await send(url, sent('CONNECT', { login: 'carol', 'accept-version': '1.2' }), {});
    await poll(url, {} as typeof ALICE);
    expect((await pod.link(0)).request.headers['holdfast-user']).toBe('carol');
    expect((await send(url, '["\\n"]', {})).status).toBe(204);
    expect((await send(url, '["\\n"]', BOB)).status).toBe(404);
  });

  test('sessions are as many as they may be', async () => {
    const { base, url } = await setUp(['--limits-sessions-per-user', '1']);
    await connected(url);
    expect((await ask(`${base}/000/second/xhr`)).status).toBe(429);
    expect((await ask(`${base}/000/second/xhr`, { headers: BOB })).status).toBe(200);
  });

  test('those on their way count', async () => {
    const { base, url } = await setUp(['--limits-sessions', '1']);
    expect(await poll(url)).toBe('o');
    expect((await ask(`${base}/000/second/xhr`)).status).toBe(503);
  });
});

describe('the proxy stops', () => {
  test('polls, streams and WebSockets are told 1012', async () => {
    const { url, base, proxy } = await setUp();
    await connected(url);
    const stream = await Stream.open(`${base}/000/stream/xhr_streaming`);
    await stream.next();
    expect(await stream.next()).toBe('o');
    const waiting = poll(url);
    // The server has read the request when it can answer a second one.
    await send(url, '["\\n"]');
    void proxy.stop();
    expect(await waiting).toMatch(/^c\[1012,"/);
    expect(textsOf(await stream.next())[0]).toMatch(/^ERROR\nmessage:service restart\n/);
    expect(await stream.next()).toMatch(/^c\[1012,"/);
  });

  test('a client between two polls is told by the next, on a connection of its own', async () => {
    const { url, proxy } = await setUp();
    await connected(url);
    const stopped = proxy.stop();
    expect(await poll(url)).toMatch(/^c\[1012,"/);
    await stopped;
    await expect(poll(url)).rejects.toThrow();
  });
});
