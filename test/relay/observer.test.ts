/** What an operator sees of it: five lines for a handover, four for a recovery, and the same in figures. */
import { expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { echo, echoClient, RawClient } from '../support/client.ts';
import { type Line, startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';

async function moving(flags: readonly string[] = []) {
  const pods = [await started({ name: 'pod-1' }), await started({ name: 'pod-2' })];
  const proxy = await startProxy(pods, ['--handover-drain-max', '100ms', ...flags]);
  const client = await echoClient(proxy.ws, 'alice');
  const from = pods.find((pod) => pod.sessions() === 1);
  const to = pods.find((pod) => pod !== from);
  if (from === undefined || to === undefined) throw new Error('no session');
  return { proxy, client, from, to, seen: proxy.lines.length };
}

const bare = ({ time: _time, level: _level, ...line }: Line) => line;
const a = expect.any(String);
const n = expect.any(Number);

test('a handover is told in five lines, without the user’s name', async () => {
  const { proxy, client, from, to, seen } = await moving();
  proxy.setPods([{ name: from.name, address: from.address, state: 'draining' }, to]);
  await proxy.line(({ msg }) => msg === 'handed over');
  await echo(client, 'goes on');
  const lines = proxy.lines
    .slice(seen)
    .map(bare)
    .filter(({ msg }) => !msg.startsWith('ring'));
  const who = { session: 1, userHash: a };
  const route = { from: from.name, to: to.name };
  expect(lines).toEqual([
    { source: 'file', serving: 1, draining: 1, unready: 0, msg: 'topology changed' },
    { ...who, ...route, msg: 'handover started' },
    { ...who, pod: to.name, cause: 'handover', tookMs: n, msg: 'link connected' },
    { ...who, ...route, msg: 'switched: the barrier is passed, the old link drains' },
    { ...who, ...route, gapMs: n, continuity: 'proven', msg: 'handed over' },
  ]);
  expect(JSON.stringify(proxy.lines)).not.toContain('alice');
  await proxy.metricIs('holdfast_handovers_total{outcome="done"}', 1);
  await proxy.metricIs('holdfast_moves_total', 1);
  await proxy.metricIs('holdfast_gaps_total{continuity="proven"}', 1);
  await proxy.metricIs('holdfast_handover_gap_seconds_count', 1);
});

test('a recovery is told in three lines, as warnings', async () => {
  const { proxy, client, from, to, seen } = await moving();
  from.kill();
  await proxy.line(({ msg }) => msg.startsWith('recovered'));
  await echo(client, 'goes on');
  const lines = proxy.lines.slice(seen).filter(({ msg }) => !msg.startsWith('ring'));
  const who = { session: 1, userHash: a };
  expect(lines.slice(0, 3).map(bare)).toEqual([
    { ...who, pod: from.name, why: 'closed 1006', msg: 'link lost: frames are held' },
    { ...who, pod: to.name, cause: 'recovery', tookMs: n, msg: 'link connected' },
    { ...who, from: from.name, to: to.name, gapMs: n, attempts: 1, msg: 'recovered: the gap is announced' },
  ]);
  expect(lines.slice(0, 3).map(({ level }) => level)).toEqual(['warn', 'info', 'warn']);
  await proxy.metricIs('holdfast_handovers_total{outcome="recovered"}', 1);
  await proxy.metricIs('holdfast_gaps_total{continuity="unproven"}', 1);
});

test('nor is the name in what a pod says when it closes, or refuses a replay', async () => {
  const proxy = await startProxy([
    await scriptedPod('pod-1', {
      onFrame: (link, { command }) => command === 'SEND' && link.socket.close(1011, 'alice: full'),
    }),
  ]);
  const refusing = await scriptedPod('pod-2', {
    polite: false,
    onFrame: (link) => link.send('ERROR', { message: 'access denied for alice' }),
  });
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  proxy.setPods([refusing]);
  await proxy.line(({ msg }) => msg.startsWith('handover kept'));
  client.send('SEND', { destination: '/a' }, 'x');
  await proxy.line(({ msg }) => msg.startsWith('link lost'));
  expect(JSON.stringify(proxy.lines)).toContain('ERROR: access denied for (user)');
  expect(JSON.stringify(proxy.lines)).not.toContain('alice');
});

test('log.users names the user', async () => {
  const { proxy } = await moving(['--log-users']);
  expect(proxy.lines.find(({ msg }) => msg === 'link connected')).toMatchObject({ user: 'alice' });
});

test('frames and ends are counted', async () => {
  const { proxy, client } = await moving();
  const sent = await proxy.metric('holdfast_messages_total{direction="to-pod"}');
  const got = await proxy.metric('holdfast_messages_total{direction="to-client"}');
  for (let i = 0; i < 10; i++) await echo(client, String(i));
  expect(await proxy.metric('holdfast_messages_total{direction="to-pod"}')).toBe(sent + 10);
  expect(await proxy.metric('holdfast_messages_total{direction="to-client"}')).toBe(got + 10);
  client.send('DISCONNECT');
  await client.closed;
  await proxy.metricIs('holdfast_client_closes_total{reason="client-left"}', 1);
});

test('each name of a client, user or destination stays out of the metrics', async () => {
  const { proxy } = await moving();
  await RawClient.connect(proxy.ws, { user: 'bob-the-user' });
  const text = await proxy.scrape();
  for (const word of ['alice', 'bob-the-user', '/user/queue/echo']) expect(text).not.toContain(word);
});
