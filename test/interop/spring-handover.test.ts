/** The whole thing with an ordinary Spring application: stock stomp.js clients, messages by the gateway, every pod replaced. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@stomp/stompjs';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { nowMs } from '../experiment/clock.ts';
import { Fleet } from '../experiment/fleet.ts';
import { produce } from '../experiment/load.ts';
import { gatewayPosting, type Posting } from '../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { seeded } from '../experiment/random.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { Ledger } from '../ledger/ledger.ts';
import { BUILD_MAX_MS } from './maven.ts';
import { RabbitCluster } from './rabbitmq.ts';
import { DOOR, SpringPod } from './spring-pod.ts';

const CLIENTS = 10;
const MESSAGES = 100;
const DURATION_MS = 15_000;
/** Spring cuts its WebSockets at SIGTERM, so that its sessions must have moved before: settle, drain, close. */
const PRE_STOP_MS = 4_000;

/** How the application is set up, and what Holdfast has to know of it. */
interface Setup {
  readonly properties: Readonly<Record<string, string>>;
  readonly destinations: readonly string[];
  readonly flags: readonly string[];
}

const PROPERTIES = { 'messaging.producer-header-prefix': 'holdfast-' };
const HTTP_DOOR = ['--gateway-url', `http://{address}${DOOR}`];
const SERVICE_LINK = ['--gateway-transport', 'stomp', '--gateway-path', '/ws/websocket', '--gateway-receipts', 'false'];

const simpleBroker = (gateway: readonly string[]): Setup => ({
  properties: PROPERTIES,
  destinations: ['/queue/news', '/queue/orders'],
  flags: gateway,
});

async function relay(): Promise<Setup> {
  const cluster = await RabbitCluster.start(1);
  onTestFinished(() => cluster.stop());
  const { host = '' } = cluster.nodes[0] ?? {};
  return {
    properties: { ...PROPERTIES, 'spring.profiles.active': 'relay', 'messaging.relay.host': host },
    // RabbitMQ would keep a durable queue for each /queue/… of each session.
    destinations: ['/topic/news', '/topic/orders'],
    flags: ['--backend-profile', 'spring-relay', ...HTTP_DOOR],
  };
}

interface Stage extends Setup {
  readonly fleet: Fleet;
  readonly proxy: ProxyProcess;
  readonly posting: Posting;
  readonly ledger: Ledger;
}

/** Two pods, and Holdfast in front of them; they end with the test. */
async function startAll(setup: Setup): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-spring-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const startPod = (name: string) => SpringPod.start({ name, properties: setup.properties });
  const fleet = new Fleet({ directory, startPod, preStopMs: PRE_STOP_MS });
  onTestFinished(() => fleet.stop());
  await fleet.add(2);
  const proxy = await startProxy({ podsFile: fleet.file, flags: ['--handover-drain-max', '1s', ...setup.flags] });
  onTestFinished(() => proxy.stop());
  const posting = gatewayPosting(proxy.adminUrl);
  onTestFinished(() => posting.close());
  return { ...setup, fleet, proxy, posting, ledger: new Ledger() };
}

/** A stock client whose messages go into the ledger. */
class Listener {
  readonly user: string;
  readonly #stage: Stage;
  readonly #client: Client;
  /** Destinations that have brought something. */
  readonly #heard = new Set<string>();
  #closes = 0;

  constructor(user: string, stage: Stage) {
    this.user = user;
    this.#stage = stage;
    const url = `${stage.proxy.listenUrl.replace('http', 'ws')}/ws/websocket`;
    this.#client = new Client({
      webSocketFactory: () => new WebSocket(url, { headers: { Username: user } }),
      onWebSocketClose: () => this.#closes++,
      onConnect: () => {
        for (const destination of stage.destinations) this.#subscribe(destination);
      },
    });
  }

  /** Resolves when its subscriptions are live. The simple broker does not say when; a message that comes shows it. */
  async start(): Promise<void> {
    this.#client.activate();
    const { destinations, posting } = this.#stage;
    const body = JSON.stringify({ n: 0 });
    const heard = async () => {
      await Promise.all(destinations.map((destination) => posting.post(this.user, destination, body)));
      return this.#heard.size;
    };
    await expect.poll(heard, { timeout: 30_000 }).toBe(destinations.length);
  }

  /** Resolves with the closes before the one that it asks for. */
  async leave(): Promise<number> {
    const closes = this.#closes;
    await this.#client.deactivate();
    return closes;
  }

  #subscribe(destination: string): void {
    this.#client.subscribe(`/user${destination}`, ({ body }) => {
      this.#heard.add(destination);
      const { n } = JSON.parse(body) as { n: number };
      if (n > 0) this.#stage.ledger.received({ user: this.user, destination }, n, nowMs());
    });
  }
}

it.each([
  ['simple broker', 'rolling', () => simpleBroker(HTTP_DOOR)],
  ['simple broker, producer over STOMP', 'in-place', () => simpleBroker(SERVICE_LINK)],
  ['relay to RabbitMQ', 'rolling', relay],
] as const)(
  '%s, %s: no client is closed, nothing is lost, doubled or swapped, and every move was planned',
  async (_, scenario, setup) => {
    const stage = await startAll(await setup());
    const { fleet, proxy, ledger } = stage;
    const listeners = Array.from({ length: CLIENTS }, (_, index) => new Listener(`user-${index}`, stage));
    await Promise.all(listeners.map((listener) => listener.start()));
    const random = seeded(1);
    const load = { users: listeners.map(({ user }) => user), messages: MESSAGES, durationMs: DURATION_MS, random };
    await Promise.all([
      produce({ ...stage, ...load }),
      scenarios[scenario]({ fleet, random, durationMs: DURATION_MS }),
    ]);
    // What is still missing shows in the findings.
    await expect
      .poll(() => ledger.complete, { timeout: 10_000 })
      .toBe(true)
      .catch(() => {});
    expect(ledger.findings()).toEqual([]);
    expect(await Promise.all(listeners.map((listener) => listener.leave()))).toEqual(listeners.map(() => 0));
    const metrics = await proxy.metrics();
    expect(metrics.get('holdfast_handovers_total{outcome="done"}')).toBeGreaterThan(0);
    expect(metrics.get('holdfast_handovers_total{outcome="recovered"}') ?? 0).toBe(0);
  },
  BUILD_MAX_MS,
);
