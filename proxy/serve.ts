/** The proxy, put together: the only file that knows all parts. */
import type { AddressInfo } from 'node:net';
import { type Config, formatHostPort } from './config/index.ts';
import type { Topology, TopologySource } from './discovery/index.ts';
import { createIdentifier, createOriginCheck } from './identity/index.ts';
import { Dialer } from './links/dialer.ts';
import { Listener } from './listeners/listener.ts';
import { passThrough } from './listeners/pass-through.ts';
import { createUserField, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createObserver } from './observer.ts';
import { Switchboard } from './relay/switchboard.ts';
import { Routing } from './routing/index.ts';
import type { Running } from './running.ts';
import { dialerOptions, listenerOptions, passThroughOptions, routingOptions, switchboardOptions } from './settings.ts';
import { createSource } from './sources.ts';

/** Clients told to go, each second, when the proxy stops: they come back at this rate, to another proxy. */
const CLOSE_PER_SECOND = 500;

const now = () => performance.now();

/** Runs the proxy; resolves when both ports listen, rejects (and leaves nothing behind) when one cannot be had. */
export async function serve(config: Config, log: Log): Promise<Running> {
  const metrics = createMetrics();
  const observer = createObserver(metrics, log, createUserField(config.log));
  const identifier = createIdentifier(config);
  const routing = new Routing(routingOptions(config), Math.random);
  const dialer = new Dialer(dialerOptions(config), now);
  const board = new Switchboard(switchboardOptions(config), routing, dialer, observer, now);
  const source = createSource(config, log);
  const http = passThrough(passThroughOptions(config), {
    identifier,
    podFor: ({ user, ringKey }) => board.podFor(user, ringKey),
    answered: (status) => metrics.httpRequests.of(String(status)).inc(),
    denied: observer.denied,
    log,
  });
  const listener = new Listener(listenerOptions(config), {
    ...{ board, identifier, observer, log, now },
    checkOrigin: createOriginCheck(config.origins),
    http: http.handle,
  });
  readOnScrape(metrics, board, source, config);
  source.start((topology) => follow(topology, board, metrics));
  const address = await listener.listen(config.listen.host, config.listen.port);
  log.info({ listen: urlOf(address), source: source.status(now()).source }, 'holdfast serves');
  return {
    listenUrl: urlOf(address),
    adminUrl: '',
    stop: async () => {
      listener.stopAccepting();
      await board.close(CLOSE_PER_SECOND);
      await source.stop();
      listener.close();
      http.close();
    },
  };
}

function follow(topology: Topology, board: Switchboard, metrics: Metrics): void {
  const states = { serving: 0, draining: 0, unready: 0 };
  for (const pod of topology.pods) states[pod.state]++;
  for (const state of ['serving', 'draining', 'unready'] as const) metrics.pods.of(state).set(states[state]);
  metrics.topologyChanges.inc();
  board.topology(topology);
}

function readOnScrape(metrics: Metrics, board: Switchboard, source: TopologySource, config: Config): void {
  metrics.governorRate.set(config.handover.perSecond);
  metrics.beforeScrape(() => {
    const status = source.status(now());
    metrics.topologyStale.set(status.staleMs / 1000);
    metrics.topologyFailures.set(status.failures);
    metrics.clients.set(board.size);
    metrics.sessions.clear();
    for (const [pod, count] of board.sessionsByPod()) metrics.sessions.of(pod).set(count);
    metrics.links.clear();
    for (const { pod, state } of board.links()) metrics.links.of(pod.name, state).inc();
    metrics.heldBytes.set(board.held.bytes);
    metrics.heldFrames.set(board.held.frames);
    metrics.governorQueue.set(board.governed.queued);
    metrics.governorInFlight.set(board.governed.inFlight);
  });
}

/** An address to connect to: one that stands for every interface is not. */
function urlOf({ address, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  return `http://${formatHostPort({ host, port })}`;
}
