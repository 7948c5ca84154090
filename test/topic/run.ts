/**
 * One run: a topic at a rate, while all subscribers are moved from node to node; of a RabbitMQ cluster of two nodes, or of any other
 * two that pass messages on to each other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pods } from '../experiment/backends/backend.ts';
import { rabbitmq } from '../experiment/backends/rabbitmq.ts';
import { nowMs, sleep } from '../experiment/clock.ts';
import { Fleet, type FleetPod } from '../experiment/fleet.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { Ledger, type Tally } from '../ledger/ledger.ts';
import { publish } from './publisher.ts';
import { plainSubscriber, type Subscriber, steadySubscriber } from './subscriber.ts';

/** `plain`: subscribers switch by themselves, as make before break is commonly done. */
export type Way = 'holdfast' | 'plain';

export interface TopicOptions {
  readonly way: Way;
  /** Messages per second, of all publishers together. */
  readonly rate: number;
  /** The first at one node, the second at the other, and so on. */
  readonly publishers: number;
  readonly subscribers: number;
  readonly durationMs: number;
  /** How often all subscribers are moved, spread evenly over the run. */
  readonly moves: number;
  readonly ids: boolean;
}

export interface TopicOutcome {
  readonly tally: Tally;
  /** What the proxy counted; plain: as many as were asked for. */
  readonly moved: number;
}

const TOPIC = '/topic/prices';
const NODES = 2;
/** When messages are missing, so long a silence means that they do not come. */
const QUIET_MS = 2_000;

const cluster = () => rabbitmq({ mode: 'holdfast', podFlags: [] });

export async function runTopic(options: TopicOptions, start: () => Promise<Pods> = cluster): Promise<TopicOutcome> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-topic-'));
  const backend = await start();
  const fleet = new Fleet({ directory, startPod: backend.startPod });
  try {
    await fleet.add(NODES);
    if (options.way === 'plain') return await measure(options, fleet, undefined);
    const proxy = await startProxy({ podsFile: fleet.file, flags: backend.proxyFlags });
    try {
      return await Promise.race([measure(options, fleet, proxy), proxy.failed]);
    } finally {
      await proxy.stop();
    }
  } finally {
    await fleet.stop();
    await backend.stop();
    rmSync(directory, { recursive: true });
  }
}

async function measure(options: TopicOptions, fleet: Fleet, proxy: ProxyProcess | undefined): Promise<TopicOutcome> {
  const ledger = new Ledger();
  const pods = fleet.serving;
  const users = Array.from({ length: options.subscribers }, (_, index) => `subscriber-${index + 1}`);
  const subscribers = await Promise.all(users.map((user) => subscribe(user, pods, proxy, ledger)));
  const done = Promise.all([
    ...publishAll(options, pods, users, ledger),
    moveAll(options, { fleet, pods, subscribers, proxied: proxy !== undefined }),
  ]);
  await Promise.race([done, ...subscribers.map(({ failed }) => failed)]);
  await quiet(ledger);
  const metrics = await proxy?.metrics();
  await Promise.all(subscribers.map((subscriber) => subscriber.close()));
  return {
    tally: ledger.tally(),
    moved: metrics?.get('holdfast_moves_total') ?? options.moves * options.subscribers,
  };
}

function subscribe(
  user: string,
  pods: readonly FleetPod[],
  proxy: ProxyProcess | undefined,
  ledger: Ledger,
): Promise<Subscriber> {
  const heard = ({ publisher, n }: { publisher: string; n: number }) =>
    ledger.received({ user, destination: publisher }, n, nowMs());
  if (proxy === undefined) return plainSubscriber(urlOf(pods[0]), user, TOPIC, heard);
  return steadySubscriber(`${proxy.listenUrl.replace(/^http/, 'ws')}/ws`, user, TOPIC, heard);
}

function publishAll(
  { publishers, rate, durationMs, ids }: TopicOptions,
  pods: readonly FleetPod[],
  users: readonly string[],
  ledger: Ledger,
): Promise<void>[] {
  return Array.from({ length: publishers }, (_, index) => {
    const name = `publisher-${index + 1}`;
    return publish({
      ...{ name, destination: TOPIC, rate: rate / publishers, durationMs, ids },
      url: urlOf(pods[index % pods.length]),
      onSend: (n) => {
        for (const user of users) ledger.sent({ user, destination: name }, n, nowMs());
      },
    });
  });
}

interface Stage {
  readonly fleet: Fleet;
  readonly pods: readonly FleetPod[];
  readonly subscribers: readonly Subscriber[];
  readonly proxied: boolean;
}

/** All to the second node, all to the first one, and so on. */
async function moveAll({ moves, durationMs }: TopicOptions, stage: Stage): Promise<void> {
  for (let move = 1; move <= moves; move++) {
    await sleep(durationMs / (moves + 1));
    const to = stage.pods[move % NODES];
    const from = stage.pods[(move + 1) % NODES];
    if (to === undefined || from === undefined) throw new RangeError(`${NODES} nodes are needed`);
    if (stage.proxied) {
      stage.fleet.mark('serving', to);
      stage.fleet.mark('draining', from);
    } else await Promise.all(stage.subscribers.map((subscriber) => subscriber.switchTo(urlOf(to))));
  }
}

async function quiet(ledger: Ledger): Promise<void> {
  for (let before = -1; !ledger.complete && ledger.arrivals > before; ) {
    before = ledger.arrivals;
    await sleep(QUIET_MS);
  }
  // Doubles may still come when everything has.
  await sleep(QUIET_MS);
}

function urlOf(pod: FleetPod | undefined): string {
  return `ws://${pod?.address}/ws`;
}
