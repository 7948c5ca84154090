/** What pods get to see: the client's own upgrade and CONNECT with the proxy's identity, the same on every link. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Frame } from '../../stomp/index.ts';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

const SPOOFS = {
  'holdfast-user': 'root',
  'Holdfast-User': 'root',
  holdfast_user: 'root',
  'holdfast-replay': 'recovery',
  'x-forwarded-for': '6.6.6.6',
};

async function handedOver() {
  const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')];
  const proxy = await startProxy(pods, ['--trusted-peers', '127.0.0.1', '--handover-drain-max', '100ms']);
  const target = `${proxy.ws}/%2e%2e/a%2Fb?token=a%20b&x=1&x=2`;
  const client = await RawClient.open(target, {
    user: 'alice',
    headers: { ...SPOOFS, Cookie: 'session=1; b="2"', Authorization: 'Bearer abc', 'X-Twice': ['1', '2'] },
    protocols: ['v12.stomp', 'v11.stomp'],
  });
  client.send('CONNECT', {
    'accept-version': '1.1,1.2',
    host: 'app.test',
    login: 'me',
    passcode: 'secret',
    'heart-beat': '0,0',
    'holdfast-user': 'root',
    'Holdfast-User': 'root',
    'holdfast-replay': 'recovery',
    user: 'root',
    simpUser: 'root',
    'x-app': 'kept',
  });
  await client.frame('CONNECTED');
  client.send('SUBSCRIBE', { id: 1, destination: '/user/queue/a', selector: 'x:y' });
  const first = pods.find((pod) => pod.links.length > 0);
  const second = pods.find((pod) => pod !== first);
  if (first === undefined || second === undefined) throw new Error('no pod has a link');
  const before = await first.link(0);
  await before.frame('SUBSCRIBE');
  proxy.setPods([{ ...first, state: 'draining' }, second]);
  await proxy.line(({ msg }) => msg === 'handed over');
  return { proxy, client, before, after: await second.link(0), first, second };
}

const headersOf = (frame: Frame) => [...frame.headers()].map(([name, value]) => `${name}: ${value}`);

/** Of the request: what is not this hop's own. */
function replayed({ request }: PodLink) {
  const { host: _host, 'sec-websocket-key': _key, ...rest } = request.headersDistinct;
  return { url: request.url, headers: rest };
}

test('path, query, cookies, Authorization and the identity are the same on the first link and on the next', async () => {
  const { before, after } = await handedOver();
  // Not RawClient's doing: its URL parser has resolved the dot segment before the request went out.
  expect(before.request.url).toBe('/a%2Fb?token=a%20b&x=1&x=2');
  expect(replayed(after)).toEqual(replayed(before));
  expect(before.request.headersDistinct).toMatchObject({
    cookie: ['session=1; b="2"'],
    authorization: ['Bearer abc'],
    'x-twice': ['1', '2'],
    username: ['alice'],
    'holdfast-user': ['alice'],
    'sec-websocket-protocol': ['v12.stomp,v11.stomp'],
  });
  expect(before.request.headers).not.toHaveProperty('holdfast_user');
  expect(before.request.headers).not.toHaveProperty('holdfast-replay');
});

test('the Host of a link is the pod’s own', async () => {
  const { before, after, first, second } = await handedOver();
  expect(before.request.headers.host).toBe(first.address);
  expect(after.request.headers.host).toBe(second.address);
});

test('CONNECT: the client’s headers without what only the proxy may say', async () => {
  const { before } = await handedOver();
  expect(headersOf(await before.frame('CONNECT')).sort()).toEqual([
    'accept-version: 1.1,1.2',
    'heart-beat: 2000,2000',
    'holdfast-user: alice',
    'host: app.test',
    'login: me',
    'passcode: secret',
    'x-app: kept',
  ]);
});

test('CONNECT and SUBSCRIBE of a handover: pinned to the version, marked as a repeat', async () => {
  const { before, after } = await handedOver();
  const connect = headersOf(await after.frame('CONNECT'));
  const again = headersOf(await before.frame('CONNECT')).filter((line) => !line.startsWith('accept-version'));
  expect(connect.sort()).toEqual([...again, 'accept-version: 1.2', 'holdfast-replay: handover'].sort());
  const subscribe = headersOf(await after.frame('SUBSCRIBE'));
  expect(subscribe).toEqual(
    expect.arrayContaining(['holdfast-replay: handover', 'destination: /user/queue/a', 'selector: x:y']),
  );
});

test('the client sees one CONNECTED, with the proxy’s heart-beats, and nothing of the move', async () => {
  const { client, after } = await handedOver();
  after.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/user/queue/a' }, 'hello');
  expect(textOf(await client.frame('MESSAGE'))).toBe('hello');
});

test('the path goes to the pod as it came, octet for octet', async () => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod]);
  const socket = connect(proxy.port, '127.0.0.1');
  socket.write(
    'GET /ws/../%7Euser//x|y?q="z" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nUsername: alice\r\n\r\n',
  );
  await once(socket, 'data');
  // CONNECT in a masked text frame whose mask is zero.
  const connectFrame = Buffer.from('CONNECT\naccept-version:1.2\n\n\0');
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | connectFrame.length, 0, 0, 0, 0]), connectFrame]));
  expect((await pod.link(0)).request.url).toBe('/ws/../%7Euser//x|y?q="z"');
  socket.destroy();
});
