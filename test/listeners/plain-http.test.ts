/** REST beside WebSocket: requests go to the user's pod, whole, as they are, and fail with a clear answer. */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createIdentifier } from '../../proxy/identity/index.ts';
import { AT_HOME, type Homes } from '../../proxy/listeners/homes.ts';
import { type PassThroughParts, passThrough } from '../../proxy/listeners/pass-through.ts';
import { createLog } from '../../proxy/log.ts';
import { started } from '../backend/tools.ts';
import { echoClient } from '../support/client.ts';
import { configFrom, startProxy } from '../support/proxy.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serverWith(handler: Handler): Promise<{ server: Server; address: string }> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A proxy before a pod that answers as `handler` says. */
async function before(handler: Handler, flags: readonly string[] = []) {
  const seen: IncomingMessage[] = [];
  const { server, address } = await serverWith((incoming, response) => {
    seen.push(incoming);
    handler(incoming, response);
  });
  return { proxy: await startProxy([{ name: 'pod-1', address }], flags), seen, server };
}

const alice = { headers: { Username: 'alice' } };
const ok: Handler = (incoming, response) => {
  incoming.resume();
  incoming.once('end', () => response.end('ok'));
};

async function whole(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString('latin1');
  return text;
}

/** A raw request that asks for the connection to be closed, and all that comes back. */
async function raw(port: number, head: string, body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${head}\r\nUsername: alice\r\nConnection: close\r\n\r\n${body}`);
  return whole(socket);
}

test('a request goes to the pod of the user’s session, also where that has moved', async () => {
  const pods = [await started({ name: 'a' }), await started({ name: 'b' }), await started({ name: 'c' })];
  const proxy = await startProxy(pods);
  const whoami = async () =>
    (await (await fetch(`${proxy.http}/whoami`, alice)).json()) as { pod: string; user: string };
  const earlier = await whoami();
  await echoClient(proxy.ws, 'alice');
  const at = pods.find((pod) => pod.sessions() > 0);
  expect(await whoami()).toEqual({ pod: at?.name, user: 'alice' });
  expect(earlier.pod).toBe(at?.name);
  proxy.setPods(
    pods.map(({ name, address }) => ({ name, address, state: name === earlier.pod ? 'draining' : 'serving' })),
  );
  await proxy.line(({ msg }) => msg.startsWith('switched'));
  const later = await whoami();
  expect(later.pod).not.toBe(earlier.pod);
  expect(pods.find(({ name }) => name === later.pod)?.sessions()).toBe(1);
});

test('path, query, method, body, status and headers pass; the identity is the proxy’s', async () => {
  const { proxy, seen } = await before((incoming, response) => {
    response.writeHead(207, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] });
    incoming.pipe(response);
  });
  const path = '/a%2Fb/../c?q=1&q=%20x';
  const outgoing = request(`${proxy.http}`, {
    ...{ method: 'PUT', path },
    headers: {
      Username: 'alice',
      'holdfast-user': 'root',
      Holdfast_User: 'root',
      Cookie: 'c=1',
      'X-Twice': ['1', '2'],
    },
  });
  outgoing.end('the body');
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(207);
  expect(response.headers).toMatchObject({ 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] });
  expect(await whole(response)).toBe('the body');
  expect(seen[0]?.url).toBe(path);
  expect(seen[0]?.method).toBe('PUT');
  expect(seen[0]?.headersDistinct).toMatchObject({
    'holdfast-user': ['alice'],
    username: ['alice'],
    cookie: ['c=1'],
    'x-twice': ['1', '2'],
    host: [`127.0.0.1:${proxy.port}`],
    'x-forwarded-for': ['127.0.0.1'],
  });
  expect(seen[0]?.headers).not.toHaveProperty('holdfast_user');
  await proxy.metricIs('holdfast_http_requests_total{code="207"}', 1);
});

test('host and content-length go out once, hop-by-hop headers not at all', async () => {
  const { proxy, seen } = await before(ok);
  const answer = await raw(
    proxy.port,
    'POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nConnection: holdfast-user\r\n' +
      'Keep-Alive: timeout=9\r\nTE: trailers\r\nProxy-Authorization: x',
    'hello',
  );
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(answer).toMatch(/connection: close/i);
  expect(seen[0]?.headersDistinct).toMatchObject({
    host: ['app.test'],
    'content-length': ['5'],
    'holdfast-user': ['alice'],
  });
  for (const name of ['keep-alive', 'te', 'proxy-authorization']) expect(seen[0]?.headers).not.toHaveProperty(name);
});

test('the host header of the configuration replaces the client’s', async () => {
  const { proxy, seen } = await before(ok, ['--backend-host-header', 'chat.internal']);
  await fetch(proxy.http, alice);
  expect(seen[0]?.headersDistinct['host']).toEqual(['chat.internal']);
});

test('an offer of h2c is not taken and not passed on', async () => {
  const { proxy, seen } = await before(ok);
  const answer = await raw(
    proxy.port,
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ',
  );
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(seen[0]?.headers).not.toHaveProperty('upgrade');
  expect(seen[0]?.headers).not.toHaveProperty('http2-settings');
});

test.each(['DELETE', 'OPTIONS'])(
  '%s with a chunked body is refused: it would become a second request',
  async (method) => {
    const { proxy, seen } = await before(ok);
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nUsername: bob\r\n\r\n';
    const body = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    const answer = await raw(proxy.port, `${method} /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked`, body);
    expect(answer).toMatch(/^HTTP\/1.1 411 /);
    expect(answer).toContain('"error":"length-required"');
    expect(seen).toEqual([]);
  },
);

test.each(['DELETE', 'OPTIONS', 'GET', 'POST'])('%s with a counted body passes', async (method) => {
  const { proxy, seen } = await before((incoming, response) => incoming.pipe(response));
  const answer = await raw(proxy.port, `${method} /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5`, 'hello');
  expect(answer).toMatch(/hello/);
  expect(seen).toHaveLength(1);
});

const failures: [
  what: string,
  status: number,
  message: RegExp,
  pods: () => { name: string; address: string }[],
  init: RequestInit,
][] = [
  ['no user', 401, /who the user is/, () => [], {}],
  ['no pods', 503, /no pod/, () => [], alice],
  ['an unreachable pod', 502, /pod-1 could not be reached/, () => [{ name: 'pod-1', address: '127.0.0.1:1' }], alice],
];

test.each(failures)('%s: %i', async (_what, status, message, pods, init) => {
  const proxy = await startProxy(pods());
  if (pods().length > 0) await proxy.line(({ msg }) => msg === 'topology changed');
  const response = await fetch(proxy.http, init);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({ error: expect.any(String), message: expect.stringMatching(message) });
  await proxy.metricIs(`holdfast_http_requests_total{code="${status}"}`, 1);
});

test('a user who could only be named by CONNECT: 401', async () => {
  const proxy = await startProxy([], ['--user', 'stomp-login']);
  const response = await fetch(proxy.http);
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ message: expect.stringContaining('not in STOMP') });
});

/** Plain HTTP alone, without the rest of a proxy. */
async function frontOf(address: string, more: Partial<PassThroughParts> = {}, answerMaxMs = 60_000) {
  const http = passThrough(
    { tls: false, hostHeader: undefined, connectMaxMs: 1000, answerMaxMs },
    {
      identifier: createIdentifier(configFrom(['--pods', 'pod-1=127.0.0.1:1'])),
      podFor: () => ({ id: '1', name: 'pod-1', address, state: 'serving' }),
      answered: () => {},
      denied: () => {},
      homes: AT_HOME,
      log: createLog({ level: 'silent', users: false }, { write: () => {} }),
      ...more,
    },
  );
  onTestFinished(() => http.close());
  return serverWith(http.handle);
}

test('with several processes the home of the user answers, and the one that has the connection counts', async () => {
  const pod = await serverWith(ok);
  const counted: string[] = [];
  const home = await frontOf(pod.address, {
    answered: (status) => counted.push(`home ${status}`),
    homes: { ...AT_HOME, isPassedOn: () => true },
  });
  const asked: string[] = [];
  const forward: Homes['forward'] = (name, _request, response) => {
    asked.push(name);
    void fetch(`http://${home.address}/`, alice).then(({ status }) => response.writeHead(status).end());
    return true;
  };
  const other = await frontOf('127.0.0.1:1', {
    answered: (status) => counted.push(`other ${status}`),
    homes: { ...AT_HOME, forward },
  });
  expect((await fetch(`http://${other.address}/`, alice)).status).toBe(200);
  expect([asked, counted]).toEqual([['alice'], ['other 200']]);
});

test('a pod that does not answer in time: 504, and its request is given up', async () => {
  const ended = Promise.withResolvers<void>();
  const pod = await serverWith((incoming) => incoming.once('close', () => ended.resolve()));
  const front = await frontOf(pod.address, {}, 50);
  const response = await fetch(`http://${front.address}/`, alice);
  expect(response.status).toBe(504);
  expect(await response.json()).toEqual({ error: 'gateway-timeout', message: 'pod pod-1 did not answer in time' });
  await ended.promise;
});

test('a pod that breaks off its answer breaks it off for the client', async () => {
  const { proxy } = await before((_incoming, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('half', () => response.destroy());
  });
  const response = await fetch(proxy.http, alice);
  await expect(response.text()).rejects.toThrow();
});

test('a client that leaves frees the pod’s request', async () => {
  const closed = Promise.withResolvers<void>();
  const { proxy } = await before((_incoming, response) => {
    response.once('close', () => closed.resolve());
    response.write('first');
  });
  const gone = new AbortController();
  const response = await fetch(proxy.http, { ...alice, signal: gone.signal });
  await response.body?.getReader().read();
  gone.abort();
  await closed.promise;
});

test('large bodies pass both ways', async () => {
  const size = 32 * 1024 * 1024;
  const { proxy } = await before((incoming, response) => incoming.pipe(response));
  const outgoing = request(proxy.http, { method: 'POST', headers: { Username: 'alice' } });
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const feed = async () => {
    for (let sent = 0; sent < size; sent += chunk.length) if (!outgoing.write(chunk)) await once(outgoing, 'drain');
    outgoing.end();
  };
  const count = async () => {
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const part of incoming as AsyncIterable<Buffer>) bytes += part.length;
    return bytes;
  };
  const [bytes] = await Promise.all([count(), feed()]);
  expect(bytes).toBe(size);
});

test('connections are kept, on both sides', async () => {
  const { proxy, server } = await before(ok);
  let connections = 0;
  server.on('connection', () => connections++);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 5; i++) {
    const outgoing = request(proxy.http, { ...alice, agent }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    ports.add(response.socket.localPort);
    await whole(response);
  }
  expect(ports.size).toBe(1);
  expect(connections).toBe(1);
});

test('HTTP/1.0 is answered and closed', async () => {
  const { proxy } = await before(ok);
  const answer = await raw(proxy.port, 'GET / HTTP/1.0\r\nHost: x');
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(answer.endsWith('ok')).toBe(true);
});

test('an absolute target and a repeated Host are refused', async () => {
  const { proxy, seen } = await before(ok);
  expect(await raw(proxy.port, 'GET http://evil.test/ HTTP/1.1\r\nHost: x')).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: x\r\nHost: y')).toMatch(/^HTTP\/1.1 400 /);
  expect(seen).toEqual([]);
});
