/** The proxy, put together: the only file that knows all parts. */
import { createAdmin, type Health } from './admin/index.ts';
import { type Config, formatHostPort, type HostPort } from './config/index.ts';
import type { Topology, TopologySource } from './discovery/index.ts';
import { createIdentifier, createOriginCheck } from './identity/index.ts';
import { Dialer } from './links/dialer.ts';
import { Listener } from './listeners/listener.ts';
import { passThrough } from './listeners/pass-through.ts';
import { createUserField, type Log } from './log.ts';
import type { LogLosses } from './log-output.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createObserver } from './observer.ts';
import { createGateway } from './producers.ts';
import { Switchboard } from './relay/switchboard.ts';
import { Routing } from './routing/index.ts';
import type { Running } from './running.ts';
import { dialerOptions, listenerOptions, passThroughOptions, routingOptions, switchboardOptions } from './settings.ts';
import { createSource } from './sources.ts';

/** Clients told to go, each second, when the proxy stops: they come back at this rate, to another proxy. */
const CLOSE_PER_SECOND = 500;
/** However many there are, within this time, since Kubernetes kills after 30 s unless it is told otherwise. */
export const CLOSE_MAX_S = 20;

/** Messages of producers that are under way when the proxy stops get this long. */
export const GATEWAY_DRAIN_MS = 2_000;

/** Of a log that is not on a stream. */
const NO_LOSSES: LogLosses = { linesLost: 0 };

const now = () => performance.now();

/** Runs the proxy; resolves when both ports listen, rejects (and leaves nothing behind) when one cannot be had. */
export async function serve(config: Config, log: Log, losses: LogLosses = NO_LOSSES): Promise<Running> {
  const metrics = createMetrics();
  const observer = createObserver(metrics, log, createUserField(config.log));
  const identifier = createIdentifier(config, { log });
  const routing = new Routing(routingOptions(config), Math.random);
  const dialer = new Dialer(dialerOptions(config), now, ({ name }) =>
    log.info({ pod: name }, 'link with another SockJS session id: an older one of the session may still be open there'),
  );
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
  const gateway = createGateway(config, board, metrics, log);
  let stopping = false;
  const health = createHealth(board, source, () => stopping);
  const admin = createAdmin({ metrics, health, doors: gateway.doors, log });
  readOnScrape(metrics, board, source, config);
  metrics.beforeScrape(() => metrics.logLinesLost.set(losses.linesLost));

  const stop = async () => {
    stopping = true;
    listener.stopAccepting();
    await Promise.all([
      board.close(Math.max(CLOSE_PER_SECOND, board.size / CLOSE_MAX_S)),
      gateway.close(GATEWAY_DRAIN_MS),
    ]);
    await Promise.all([source.stop(), admin.close()]);
    http.close();
    await listener.close();
  };
  const [listening, administered] = await Promise.allSettled([
    listener.listen(config.listen),
    admin.listen(config.admin),
  ]);
  if (listening.status === 'rejected' || administered.status === 'rejected') {
    await stop();
    throw busyPort(listening, 'listen', config.listen) ?? busyPort(administered, 'admin', config.admin);
  }
  source.start((topology) => follow(topology, board, metrics));
  const listenUrl = urlOf(listening.value);
  const adminUrl = urlOf(administered.value);
  log.info({ listen: listenUrl, admin: adminUrl, source: source.status(now()).source }, 'holdfast serves');
  return { listenUrl, adminUrl, stop };
}

/** Ready once the pods are known: from then on a client is held rather than refused when there is none. */
function createHealth(board: Switchboard, source: TopologySource, isStopping: () => boolean): Health {
  return {
    readiness: () => {
      const { ready, source: name, lastError } = source.status(now());
      const reasons = lastError === undefined ? [] : [lastError];
      if (!ready) reasons.unshift(`the pods are not known yet: the ${name} source has not answered`);
      if (isStopping()) reasons.unshift('shutting down');
      return { ready: ready && !isStopping(), reasons };
    },
    sessions: () => {
      const byPod = Object.fromEntries(board.sessionsByPod());
      const byState: Record<string, number> = {};
      for (const { state } of board.links()) byState[state] = (byState[state] ?? 0) + 1;
      return { sessions: board.size, byPod, byState };
    },
  };
}

/** What to say when a port cannot be had. */
function busyPort(result: PromiseSettledResult<unknown>, key: string, at: HostPort): Error | undefined {
  if (result.status === 'fulfilled') return undefined;
  const { message } = result.reason as Error;
  return new Error(
    `${key}: cannot listen on ${formatHostPort(at)} (${message}); choose another with --${key} HOST:PORT`,
  );
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
  metrics.heldBytesMax.set(config.hold.totalBytes);
  metrics.clientsMax.set(config.limits.sessions);
  metrics.beforeScrape(() => {
    const status = source.status(now());
    metrics.topologySource.clear();
    metrics.topologySource.of(status.source).set(1);
    metrics.topologyStale.set(status.staleMs / 1000);
    metrics.topologyProblems.set(status.problems);
    metrics.topologyFailures.set(status.failures);
    metrics.clients.set(board.size);
    metrics.sessions.clear();
    for (const [pod, count] of board.sessionsByPod()) metrics.sessions.of(pod).set(count);
    metrics.links.clear();
    for (const { pod, state } of board.links()) metrics.links.of(pod.name, state).inc();
    const { client, link } = board.paused;
    metrics.paused.of('client').set(client);
    metrics.paused.of('link').set(link);
    metrics.heldBytes.set(board.held.bytes);
    metrics.heldFrames.set(board.held.frames);
    metrics.governorQueue.set(board.governed.queued);
    metrics.governorInFlight.set(board.governed.inFlight);
  });
}

/** An address to connect to: one that stands for every interface is not. */
function urlOf({ host, port }: HostPort): string {
  return `http://${formatHostPort({ host: host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host, port })}`;
}
