/** Links to pods that speak SockJS: the id that stays the same, the framing, and what it cannot carry. */
import { expect, test } from 'vitest';
import { SessionIds, sockJsTarget } from '../../proxy/links/session-ids.ts';
import { encode } from '../../stomp/index.ts';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

const SESSION = /^\/ws\/000\/([0-9a-f-]{36})\/websocket\?token=t$/;
const idOf = ({ request }: PodLink) => SESSION.exec(request.url ?? '')?.[1];

async function setUp() {
  const pods = [await scriptedPod('pod-1', { sockJs: true }), await scriptedPod('pod-2', { sockJs: true })] as const;
  const proxy = await startProxy(pods.slice(0, 1), ['--backend-sockjs', '--handover-drain-max', '100ms']);
  const client = await RawClient.connect(`${proxy.ws}/websocket?token=t`, { user: 'alice' });
  const move = async (from: number, to: number) => {
    const count = () => proxy.lines.filter(({ msg }) => msg === 'handed over').length;
    const before = count();
    const [old, next] = [pods[from], pods[to]];
    if (old === undefined || next === undefined) throw new Error('no such pod');
    proxy.setPods([{ name: old.name, address: old.address, state: 'draining' }, next]);
    await proxy.line(() => count() > before);
  };
  return { pods, proxy, client, move };
}

test('STOMP goes both ways in frames of text', async () => {
  const { client, pods } = await setUp();
  const link = await pods[0].link(0);
  client.send('SEND', { destination: '/a' }, 'hello é\u2028');
  expect(textOf(await link.frame('SEND'))).toBe('hello é\u2028');
  expect(link.messages.every(({ text, binary }) => !binary && /^\[".*"\]$/s.test(text))).toBe(true);
  link.socket.send('h');
  const [one = '', two = ''] = ['one', 'two'].map((body) =>
    Buffer.from(encode('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, body)).toString(),
  );
  link.socket.send(`a${JSON.stringify([one.slice(0, 5), one.slice(5) + two])}`);
  expect(await client.bodies(2)).toEqual(['one', 'two']);
});

test('the id is the same at each pod, and is used again at one that the session has left', async () => {
  const { pods, move, proxy } = await setUp();
  const first = await pods[0].link(0);
  await move(0, 1);
  const second = await pods[1].link(0);
  await first.closed;
  await move(1, 0);
  const third = await pods[0].link(1);
  expect(idOf(first)).toMatch(/^[0-9a-f-]{36}$/);
  expect([idOf(second), idOf(third)]).toEqual([idOf(first), idOf(first)]);
  expect(proxy.lines.some(({ msg }) => msg.startsWith('link with another SockJS session id'))).toBe(false);
});

test('where an old link broke, and may still be open for the pod, another id is used, and the log says so', async () => {
  const { pods, proxy } = await setUp();
  const first = await pods[0].link(0);
  first.socket.terminate();
  expect(idOf(await pods[0].link(1))).not.toBe(idOf(first));
  expect(await proxy.line(({ msg }) => msg.startsWith('link with another SockJS session id'))).toMatchObject({
    pod: 'pod-1',
  });
});

test('two sessions of one user have ids of their own', async () => {
  const { pods, proxy } = await setUp();
  await RawClient.connect(`${proxy.ws}/websocket?token=t`, { user: 'alice' });
  expect(idOf(await pods[0].link(0))).not.toBe(idOf(await pods[0].link(1)));
});

test('a close in SockJS framing is the end of the link, with its code', async () => {
  const { pods, proxy, client } = await setUp();
  proxy.setPods([pods[0], pods[1]]);
  (await pods[0].link(0)).socket.send('c[1001,"going away"]');
  expect(await proxy.line(({ msg }) => msg.startsWith('link lost'))).toMatchObject({ why: 'closed 1001 going away' });
  client.send('SEND', { destination: '/a' }, 'goes on');
  await Promise.any([pods[1].link(0), pods[0].link(1)]);
});

test('a pod that speaks no SockJS is a lost link', async () => {
  const { pods, proxy } = await setUp();
  (await pods[0].link(0)).socket.send('MESSAGE\n\n\0');
  expect(await proxy.line(({ msg }) => msg.startsWith('link lost'))).toMatchObject({
    why: 'closed 1007 broken SockJS framing',
  });
});

test('a client’s frame that is no text cannot go there: ERROR says so', async () => {
  const { client, pods } = await setUp();
  client.socket.send(Buffer.from('SEND\ndestination:/a\n\n\xff\0', 'latin1'));
  const error = await client.frame('ERROR');
  expect(textOf(error)).toMatch(/no UTF-8/);
  expect((await client.closed).code).toBe(1002);
  expect((await pods[0].link(0)).frames.map(({ command }) => command)).not.toContain('SEND');
});

test.each([
  ['/ws', '/ws/000/i/websocket'],
  ['/ws/', '/ws/000/i/websocket'],
  ['/ws/websocket', '/ws/000/i/websocket'],
  ['/ws/websocket?a=/websocket', '/ws/000/i/websocket?a=/websocket'],
  ['/', '/000/i/websocket'],
])('pods of clients at %s are asked at %s', (target, asked) => expect(sockJsTarget(target, 'i')).toBe(asked));

test('an id is free again after a closing handshake, and not after a link that broke', () => {
  const ids = new SessionIds();
  const target = { path: '/ws', protocols: [], headers: [] };
  const pod = { id: 'uid', name: 'pod', address: 'a:1', state: 'serving' } as const;
  const first = ids.take(pod, target);
  const meanwhile = ids.take(pod, target);
  expect([first.isStable, meanwhile.isStable]).toEqual([true, false]);
  expect(meanwhile.id).not.toBe(first.id);
  meanwhile.release(true);
  expect(ids.take(pod, target).isStable).toBe(false);
  first.release(true);
  const again = ids.take(pod, target);
  expect(again).toMatchObject({ id: first.id, isStable: true });
  again.release(false);
  expect(ids.take(pod, target).isStable).toBe(false);
  expect(ids.take({ ...pod, id: 'other' }, target)).toMatchObject({ id: first.id, isStable: true });
  expect(ids.take(pod, { ...target }).id, 'another session').not.toBe(first.id);
});
