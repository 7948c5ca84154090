/** Pods, proxies, clients, a producer and Prometheus over all of them: what an operator sees, small. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Clients } from '../../experiment/clients.ts';
import { nowMs, sleep } from '../../experiment/clock.ts';
import { Fleet } from '../../experiment/fleet.ts';
import { gatewayPosting, type Posting } from '../../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../../experiment/proxy.ts';
import { eventually } from '../../support/proxy.ts';
import { type Prometheus, startPrometheus, type Target } from './prometheus.ts';
import { hurried, publishedRules } from './rules.ts';

export interface StageOptions {
  /** More flags of every proxy. */
  readonly flags?: readonly string[];
  /** Of each proxy; default 4. */
  readonly clients?: number;
}

export interface Stage {
  readonly fleet: Fleet;
  /** By the names under which Prometheus knows them. */
  readonly proxies: ReadonlyMap<string, ProxyProcess>;
  readonly prometheus: Prometheus;
  /** One more, or another one of the same name, as when a container restarts. It ends with the test. */
  addProxy(pod: string, proxy: ProxyProcess): void;
  /** With flags of its own beside the stage's. */
  startProxy(podsFile?: string): Promise<ProxyProcess>;
  /** Names of the alerts that have fired since the stage was ready. */
  fired(): Promise<string[]>;
}

const PODS = 3;
const PROXIES = ['holdfast-a', 'holdfast-b'];
const CLIENTS = 4;
const DESTINATION = '/queue/news';
/** To each user. */
const MESSAGE_EVERY_MS = 100;
/** Minutes of the alerts become seconds. */
export const HURRY = 20;
/** Until a rate is known of what has just begun, on a machine that is busy. */
const SEEN_MAX_MS = 60_000;

/** From which an event loop is called slow; the threshold of the alert. */
const SLOW_MS = 100;

/**
 * Alerts that are right on a machine that is too busy: whoever takes the CPU from the proxies takes it from this process as well.
 *
 * @param stallMs the longest time that this process could not run
 */
export function rightWhenStarved(stallMs: number): readonly string[] {
  return stallMs > SLOW_MS ? ['HoldfastEventLoopSlow'] : [];
}

/** Resolves when messages flow and Prometheus has seen it. All of it ends with the test. */
export async function startStage({ flags = [], clients = CLIENTS }: StageOptions = {}): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-stage-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const fleet = new Fleet({ directory });
  onTestFinished(() => fleet.stop());
  await fleet.add(PODS);
  const start = (podsFile = fleet.file) => startProxy({ podsFile, flags });
  const proxies = new Map<string, ProxyProcess>();
  const add = (pod: string, proxy: ProxyProcess) => {
    proxies.set(pod, proxy);
    onTestFinished(() => proxy.process.kill());
  };
  for (const pod of PROXIES) add(pod, await start());
  const prometheus = await startPrometheus(hurried(publishedRules(), HURRY), targetsOf(proxies));
  onTestFinished(() => prometheus.stop());
  await loadOn([...proxies.values()], clients);
  await eventually(async () => {
    const rates = await prometheus.query('rate(holdfast_messages_total{direction="to-client"}[5s]) > 0');
    if (rates.length < PROXIES.length) throw new Error('messages are not seen to flow at every proxy');
    // Prometheus finds its targets seconds after its start; until then they are absent.
    if ((await prometheus.query('ALERTS{alertstate="firing"}')).length > 0) throw new Error('an alert fires already');
  }, SEEN_MAX_MS);
  const readyAtMs = nowMs();
  return {
    ...{ fleet, proxies, prometheus, startProxy: start },
    addProxy: (pod, proxy) => {
      add(pod, proxy);
      prometheus.scrape(targetsOf(proxies));
    },
    fired: async () => {
      const sinceReady = `${Math.ceil(nowMs() - readyAtMs)}ms`;
      const alerts = await prometheus.query(`count_over_time(ALERTS{alertstate="firing"}[${sinceReady}])`);
      return [...new Set(alerts.map(({ metric }) => metric['alertname'] ?? ''))].sort();
    },
  };
}

function targetsOf(proxies: ReadonlyMap<string, ProxyProcess>): Target[] {
  return Array.from(proxies, ([pod, { adminUrl }]) => ({ pod, address: new URL(adminUrl).host }));
}

/**
 * Clients at each proxy, and messages for them until the test ends. Each message goes to the gateway of a proxy that does not have the
 * client, as happens behind a Service; a user's messages all go to the same one, since producers keep their connections.
 */
async function loadOn(proxies: readonly ProxyProcess[], clients: number): Promise<void> {
  const over = new AbortController();
  const producing: Promise<void>[] = [];
  for (const [index, { listenUrl }] of proxies.entries()) {
    const users = Array.from({ length: clients }, (_, n) => `user-${index}-${n}`);
    await connect(listenUrl, users);
    const posting = gatewayPosting(proxies[(index + 1) % proxies.length]?.adminUrl ?? '');
    onTestFinished(() => posting.close());
    producing.push(...users.map((user) => produce(user, posting, over.signal)));
  }
  onTestFinished(async () => {
    over.abort();
    await Promise.all(producing);
  });
}

async function connect(url: string, users: readonly string[]): Promise<void> {
  const clients = await Clients.open({ url, users, destinations: [DESTINATION], notices: true, onEvent: () => {} });
  onTestFinished(() => clients.kill());
}

async function produce(user: string, posting: Posting, over: AbortSignal): Promise<void> {
  for (let n = 1; !over.aborted; n++) {
    await posting.post(user, DESTINATION, JSON.stringify({ n }));
    await sleep(MESSAGE_EVERY_MS);
  }
}
