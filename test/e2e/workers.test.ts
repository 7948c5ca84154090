/** One proxy of two worker processes: real processes, pods and clients. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { jsonOf, nodeProgram } from '../experiment/child.ts';
import { Fleet } from '../experiment/fleet.ts';
import { gatewayPosting } from '../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { run } from '../experiment/run.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { broken } from '../experiment/verdict.ts';
import { RawClient } from '../support/client.ts';
import { eventually } from '../support/proxy.ts';
import { connectSockJs } from '../support/sockjs.ts';

const TIMEOUT_MS = 120_000;
const QUEUE = '/user/queue/news';

interface Line extends Readonly<Record<string, unknown>> {
  readonly msg: string;
  readonly worker?: number;
  readonly user?: string;
  readonly pid?: number;
}

interface Stage {
  readonly proxy: ProxyProcess;
  lines(): Line[];
  /** ws://… */
  readonly url: string;
  /** Workers that have had sessions of the user. */
  workersOf(user: string): Set<number | undefined>;
  pidOf(worker: number): number;
  push(user: string, text: string): Promise<string>;
}

async function stage(flags: readonly string[] = []): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-workers-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const fleet = new Fleet({ directory });
  onTestFinished(() => fleet.stop());
  await fleet.add(2);
  const logFile = join(directory, 'log');
  const options = { podsFile: fleet.file, logFile, flags: ['--workers', '2', '--log-users', ...flags] };
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.stop());
  const lines = () =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .flatMap((text) => (jsonOf(text) ?? []) as Line | []);
  const posting = gatewayPosting(proxy.adminUrl);
  onTestFinished(() => posting.close());
  return {
    ...{ proxy, lines },
    url: `${proxy.listenUrl.replace('http', 'ws')}/ws`,
    workersOf: (user) =>
      new Set(
        lines()
          .filter((line) => line.user === user)
          .map(({ worker }) => worker),
      ),
    pidOf: (worker) => lines().findLast((line) => line.worker === worker && line.pid !== undefined)?.pid ?? 0,
    push: async (user, text) => (await posting.post(user, '/queue/news', text)).outcome,
  };
}

async function listener(url: string, user: string): Promise<RawClient> {
  const client = await RawClient.connect(url, { user });
  await client.subscribe(QUEUE);
  return client;
}

const named = (count: number) => Array.from({ length: count }, (_, n) => `user-${n}`);

test(
  'pushes to all users during a rolling restart of the pods: nothing is lost, doubled, swapped or closed',
  async () => {
    const size = { pods: 3, clients: 20, messages: 50, durationMs: 4_000 };
    const proxyFlags = ['--workers', '2', '--handover-drain-max', '500ms'];
    const outcome = await run({ ...size, mode: 'holdfast', scenario: scenarios.rolling, seed: 1, proxyFlags });
    expect(broken(outcome, false)).toEqual([]);
    expect(outcome.movesPerUser).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  'all clients of a user are in one worker, users are spread over both, and one admin port shows them all',
  async () => {
    const { proxy, url, workersOf, push } = await stage();
    const users = named(6);
    const clients = await Promise.all(users.map((user) => Promise.all([1, 2, 3].map(() => listener(url, user)))));
    for (const user of users) expect(workersOf(user).size, user).toBe(1);
    expect(new Set(users.flatMap((user) => [...workersOf(user)]))).toEqual(new Set([0, 1]));
    for (const user of users) expect(await push(user, `to ${user}`)).toBe('delivered');
    for (const [n, own] of clients.entries())
      for (const client of own) expect(await client.bodies(1)).toEqual([`to ${users[n]}`]);
    const metrics = await proxy.metrics();
    expect(metrics.get('holdfast_clients')).toBe(18);
    expect(metrics.get('holdfast_messages_total{direction="to-client"}')).toBeGreaterThanOrEqual(18);
    expect(metrics.get('holdfast_clients_max')).toBe(20_000);
    expect(metrics.get('holdfast_pods{state="serving"}')).toBe(2);
    expect(metrics.get('holdfast_workers')).toBe(2);
    expect([...metrics].filter(([name]) => name.startsWith('holdfast_ring_info')).map(([, value]) => value)).toEqual([
      1,
    ]);
    expect(await (await fetch(`${proxy.adminUrl}/v1/sessions`)).json()).toMatchObject({ sessions: 18 });
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(200);
  },
  TIMEOUT_MS,
);

test(
  'users who are known by CONNECT only go home too, with all they have said since',
  async () => {
    const { url, workersOf } = await stage(['--user', 'stomp-login']);
    const users = named(6);
    for (const user of users) {
      for (let n = 0; n < 2; n++) {
        const client = await RawClient.open(url);
        // In one breath: the worker that reads CONNECT has read the rest, too.
        client.send('CONNECT', { 'accept-version': '1.2', login: user });
        client.send('SUBSCRIBE', { id: '0', destination: '/user/queue/echo', receipt: 'subscribed' });
        client.send('SEND', { destination: '/app/echo' }, `${user} ${n}`);
        await client.frame('CONNECTED');
        await client.frame('RECEIPT');
        expect(await client.bodies(1)).toEqual([`${user} ${n}`]);
      }
      expect(workersOf(user).size, user).toBe(1);
    }
    expect(new Set(users.flatMap((user) => [...workersOf(user)]))).toEqual(new Set([0, 1]));
  },
  TIMEOUT_MS,
);

test(
  'kill -9 of a worker closes its clients only; they come back, to a new worker, and hear what is pushed',
  async () => {
    const { proxy, url, workersOf, pidOf, push } = await stage();
    const users = named(8);
    const clients = new Map<string, RawClient>();
    for (const user of users) clients.set(user, await listener(url, user));
    const homes = new Map(users.map((user) => [user, [...workersOf(user)][0]]));
    const mine = users.filter((user) => homes.get(user) === 0);
    expect([0, users.length]).not.toContain(mine.length);
    const before = await proxy.metrics();
    process.kill(pidOf(0), 'SIGKILL');
    await Promise.all(mine.map((user) => clients.get(user)?.closed));
    await eventually(async () => {
      expect((await proxy.metrics()).get('holdfast_workers')).toBe(2);
    }, 30_000);
    for (const user of mine) clients.set(user, await listener(url, user));
    for (const user of users) {
      expect(await push(user, `to ${user}`)).toBe('delivered');
      expect(await clients.get(user)?.bodies(1)).toEqual([`to ${user}`]);
      expect(workersOf(user)).toEqual(new Set([homes.get(user)]));
    }
    const metrics = await proxy.metrics();
    expect(metrics.get('holdfast_worker_restarts_total')).toBe(1);
    expect(metrics.get('holdfast_clients')).toBe(users.length);
    const sum = 'holdfast_messages_total{direction="to-client"}';
    // Since then a push to each of them, and CONNECTED and RECEIPT for those who have come back; those of the dead worker still count.
    expect(metrics.get(sum)).toBe((before.get(sum) ?? 0) + users.length + 2 * mine.length);
  },
  TIMEOUT_MS,
);

test(
  'plain HTTP of a user finds the pod, whichever worker takes it, and is counted once',
  async () => {
    const { proxy, url, lines } = await stage();
    const users = named(6);
    for (const user of users) {
      await listener(url, user);
      const pod = lines().find((line) => line.user === user && line.msg === 'link connected')?.['pod'];
      for (let n = 0; n < 3; n++) {
        const destination = encodeURIComponent('/queue/news');
        const answer = await fetch(`${proxy.listenUrl}/users/${user}/messages?destination=${destination}`, {
          method: 'POST',
          headers: { username: user, connection: 'close' },
          body: 'by hand',
        });
        expect([answer.status, JSON.stringify(await answer.json())], `${user} at ${pod}`).toEqual([
          200,
          expect.stringContaining('1'),
        ]);
      }
    }
    expect((await proxy.metrics()).get('holdfast_http_requests_total{code="200"}')).toBe(18);
  },
  TIMEOUT_MS,
);

test(
  'a SockJS client whose requests come by several connections has one session',
  async () => {
    const { proxy, push } = await stage(['--user', 'query:user']);
    const heard: string[] = [];
    for (const transport of ['xhr-streaming', 'xhr-polling'] as const) {
      const { stomp } = await connectSockJs(`${proxy.listenUrl}/ws?user=${transport}`, transport);
      await new Promise<void>((resolve) => {
        stomp.watchForReceipt('subscribed', () => resolve());
        stomp.subscribe(QUEUE, ({ body }) => heard.push(body), { receipt: 'subscribed' });
      });
      expect(await push(transport, transport)).toBe('delivered');
    }
    await eventually(() => expect(heard).toEqual(['xhr-streaming', 'xhr-polling']));
  },
  TIMEOUT_MS,
);

test(
  'SIGTERM tells every client, and ends every process',
  async () => {
    const { proxy, url, pidOf } = await stage();
    const clients = await Promise.all(named(6).map((user) => listener(url, user)));
    const pids = [0, 1].map(pidOf);
    await eventually(() => expect(pids).not.toContain(0));
    await proxy.stop();
    for (const { closed } of clients) expect(await closed).toMatchObject({ code: 1012 });
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await proxy.process.exited).toEqual({ code: 0, signal: null });
  },
  TIMEOUT_MS,
);

test(
  'workers whose primary is gone end themselves',
  async () => {
    const { proxy, url, pidOf } = await stage();
    const client = await listener(url, 'alice');
    const pids = [0, 1].map(pidOf);
    await proxy.process.kill();
    await client.closed;
    await eventually(() => {
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
  },
  TIMEOUT_MS,
);

test(
  'a port that is taken is told as with one process, and no worker stays',
  async () => {
    const { proxy } = await stage();
    const ports = ['--listen', new URL(proxy.listenUrl).host, '--admin', '127.0.0.1:0'];
    const flags = ['--workers', '2', '--pods', 'a=127.0.0.1:1', '--user', 'header:Username'];
    const second = nodeProgram('a second proxy', 'proxy/main.ts', ['serve', ...ports, ...flags]);
    onTestFinished(() => second.kill());
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.lastLines).toContain(`holdfast: listen: cannot listen on ${ports[1]}`);
  },
  TIMEOUT_MS,
);
