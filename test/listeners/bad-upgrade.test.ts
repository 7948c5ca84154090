/** What is wrong with a request before there is a WebSocket: said in HTTP as JSON, and nothing of it reaches a pod. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { echo, echoClient, RawClient } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';

const GOOD = {
  Host: 'proxy.test',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  Username: 'alice',
};

/** Writes a raw request and reads until the connection ends. */
async function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(request);
  await once(socket, 'close');
  return text;
}

const lines = (headers: Record<string, string>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const upgrade = (change: Record<string, string> = {}, more = '', target = '/ws', method = 'GET') =>
  `${method} ${target} HTTP/1.1\r\n${lines({ ...GOOD, ...change }).join('')}${more}\r\n`;
const without = (name: keyof typeof GOOD) => upgrade().replace(new RegExp(`${name}: .*\r\n`), '');

const table: [what: string, request: string, status: number, message: RegExp][] = [
  ['no user', without('Username'), 401, /who the user is/],
  ['two users', upgrade({}, 'Username: bob\r\n'), 403, /2 times/],
  ['an empty user', upgrade({ Username: '' }), 403, /empty/],
  ['a foreign page', upgrade({}, 'Origin: https://evil.test\r\n'), 403, /origin/],
  ['two origins', upgrade({}, 'Origin: http://proxy.test\r\nOrigin: http://proxy.test\r\n'), 403, /more than once/],
  ['two hosts', upgrade({}, 'Host: other.test\r\n'), 400, /Host/],
  ['version 12', upgrade({ 'Sec-WebSocket-Version': '12' }), 426, /13/],
  ['no version', without('Sec-WebSocket-Version'), 426, /13/],
  ['a bad key', upgrade({ 'Sec-WebSocket-Key': 'short' }), 400, /Key/],
  ['no key', without('Sec-WebSocket-Key'), 400, /Key/],
  ['a bad sub-protocol', upgrade({}, 'Sec-WebSocket-Protocol: ,,\r\n'), 400, /Protocol/],
  ['a body', `${upgrade({}, 'Content-Length: 5\r\n')}hello`, 400, /no body/],
  ['a chunked body', `${upgrade({}, 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`, 400, /no body/],
  ['POST', upgrade({}, '', '/ws', 'POST'), 405, /GET/],
  ['an absolute target', upgrade({}, '', 'http://evil.test/ws'), 400, /path/],
  ['a target with a fragment', upgrade({}, '', '/ws#part'), 400, /path/],
  ['a target that is a star', upgrade({}, '', '*'), 400, /path/],
];

test.each(table)('%s', async (_what, request, status, message) => {
  const pod = await scriptedPod('silent');
  const echoPod = await started();
  const proxy = await startProxy([echoPod]);
  const other = await echoClient(proxy.ws, 'other');
  const [head = '', body = ''] = (await answerTo(proxy.port, request)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/content-type: application\/json/i);
  expect(JSON.parse(body)).toEqual({ error: expect.any(String), message: expect.stringMatching(message) });
  await echo(other, 'still here');
  expect(pod.links).toEqual([]);
});

test('401 and 403 are counted', async () => {
  const proxy = await startProxy([]);
  await answerTo(proxy.port, without('Username'));
  await answerTo(proxy.port, upgrade({}, 'Origin: https://evil.test\r\n'));
  expect(await proxy.metric('holdfast_auth_denied_total{reason="unauthorized"}')).toBe(1);
  expect(await proxy.metric('holdfast_auth_denied_total{reason="forbidden"}')).toBe(1);
});

test('headers over 16 KiB are refused by HTTP itself', async () => {
  const proxy = await startProxy([]);
  expect(await answerTo(proxy.port, upgrade({ Cookie: 'a'.repeat(17_000) }))).toMatch(/^HTTP\/1.1 431 /);
});

test('a client that leaves while it is identified, or resets after its upgrade, harms nobody', async () => {
  const pod = await started();
  const proxy = await startProxy([pod]);
  for (let i = 0; i < 20; i++) {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(upgrade());
    if (i % 2 === 0) socket.resetAndDestroy();
    else socket.once('data', () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  await echo(await echoClient(proxy.ws, 'other'), 'fine');
});

const protocols: [offered: string[], answer: string][] = [
  [[], ''],
  [['v12.stomp'], 'v12.stomp'],
  [['v10.stomp', 'v11.stomp'], 'v11.stomp'],
  [['mqtt', 'v11.stomp', 'v12.stomp'], 'v12.stomp'],
];

test.each(protocols)('sub-protocols %j are answered %j, and the pod is offered no others', async (offered, answer) => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod]);
  const client = await RawClient.connect(proxy.ws, { user: 'alice', protocols: offered });
  expect(client.socket.protocol).toBe(answer);
  const link = await pod.link(0);
  const stomp = offered.filter((name) => name.endsWith('.stomp'));
  const asked = (link.request.headers['sec-websocket-protocol'] ?? '').split(',').filter((name) => name !== '');
  expect(asked.sort()).toEqual(stomp.sort());
});

test('only sub-protocols that are not STOMP: none is chosen', async () => {
  const proxy = await startProxy([await scriptedPod('pod-1')]);
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.write(upgrade({}, 'Sec-WebSocket-Protocol: mqtt\r\n'));
    socket.once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
  });
  expect(answer).toMatch(/^HTTP\/1.1 101/);
  expect(answer).not.toMatch(/sec-websocket-protocol/i);
});
