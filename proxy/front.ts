/** What clients see of the proxy, put together: the listener, the relays and the links to pods. */
import type { SessionCounts } from './admin/index.ts';
import { Clock } from './clock.ts';
import type { Config, HostPort } from './config/index.ts';
import type { Topology } from './discovery/index.ts';
import { createIdentifier, createOriginCheck } from './identity/index.ts';
import { Dialer } from './links/dialer.ts';
import { AT_HOME, type Homes } from './listeners/homes.ts';
import { Listener } from './listeners/listener.ts';
import { passThrough } from './listeners/pass-through.ts';
import { createUserField, type Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createObserver } from './observer.ts';
import type { GatewayFacts } from './producers.ts';
import { Switchboard } from './relay/switchboard.ts';
import { Routing } from './routing/index.ts';
import { dialerOptions, listenerOptions, passThroughOptions, routingOptions, switchboardOptions } from './settings.ts';

/** Clients told to go, each second, when the proxy stops: they come back at this rate, to another proxy. */
const CLOSE_PER_SECOND = 500;
/** However many there are, within this time, since Kubernetes kills after 30 s unless it is told otherwise. */
export const CLOSE_MAX_S = 20;

/** One process, or several of them. */
export interface Front {
  /** What the gateway goes by. */
  readonly facts: GatewayFacts;
  topology(topology: Topology): void;
  /** Whether clients may come, as far as it is not up to the pods; and what is only half well. */
  readiness(): { readonly isServing: boolean; readonly reasons: readonly string[] };
  sessions(): SessionCounts | Promise<SessionCounts>;
  /** All metrics of all processes. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Rejects when the address cannot be had. @returns where it listens */
  listen(at: HostPort): Promise<HostPort>;
  /** No more clients; resolves when the last of them is told to go. */
  dismiss(): Promise<void>;
  /** Cuts what is left. */
  close(): Promise<void>;
}

/** The front that is this process. */
export interface OwnFront extends Front {
  readonly board: Switchboard;
  readonly listener: Listener;
}

/** @param homes where several processes serve together: this is one of them, and `config` holds its share of the limits */
export function createFront(config: Config, metrics: Metrics, log: Log, homes: Homes = AT_HOME): OwnFront {
  const clock = new Clock();
  const now = () => clock.now();
  /** Of sockets, which ask at each message. */
  const lately = () => clock.lately();
  const observer = createObserver(metrics, log, createUserField(config.log));
  const identifier = createIdentifier(config, { log });
  const routing = new Routing(routingOptions(config), Math.random);
  const dialer = new Dialer(dialerOptions(config), lately, ({ name }) =>
    log.info({ pod: name }, 'link with another SockJS session id: an older one of the session may still be open there'),
  );
  const board = new Switchboard(switchboardOptions(config), routing, dialer, observer, now);
  const http = passThrough(passThroughOptions(config), {
    identifier,
    podFor: ({ user, ringKey }) => board.podFor(user, ringKey),
    answered: (status) => metrics.httpRequests.of(String(status)).inc(),
    denied: observer.denied,
    ...{ homes, log },
  });
  const listener = new Listener(listenerOptions(config), {
    ...{ board, identifier, observer, log, homes, now: lately },
    checkOrigin: createOriginCheck(config.origins),
    http: http.handle,
  });
  readOnScrape(metrics, board, config);
  return {
    ...{ board, listener, facts: board },
    topology: (topology) => board.topology(topology),
    readiness: () => ({ isServing: true, reasons: [] }),
    sessions: () => countSessions(board),
    scrape: () => metrics.scrape(),
    listen: (at) => listener.listen(at),
    dismiss: () => {
      listener.stopAccepting();
      return board.close(Math.max(CLOSE_PER_SECOND / config.workers, board.size / CLOSE_MAX_S));
    },
    close: () => {
      http.close();
      return listener.close();
    },
  };
}

async function countSessions(board: Switchboard): Promise<SessionCounts> {
  const { byPod, links } = await board.census();
  const byState: Record<string, number> = {};
  for (const { state, count } of links) byState[state] = (byState[state] ?? 0) + count;
  return { sessions: board.size, byPod: Object.fromEntries(byPod), byState };
}

function readOnScrape(metrics: Metrics, board: Switchboard, config: Config): void {
  metrics.governorRate.set(config.handover.perSecond);
  metrics.heldBytesMax.set(config.hold.totalBytes);
  metrics.clientsMax.set(config.limits.sessions);
  metrics.beforeScrape(async () => {
    const { byPod, links, paused } = await board.census();
    metrics.sessions.clear();
    for (const [pod, count] of byPod) metrics.sessions.of(pod).set(count);
    metrics.links.clear();
    for (const { pod, state, count } of links) metrics.links.of(pod, state).set(count);
    metrics.paused.of('client').set(paused.client);
    metrics.paused.of('link').set(paused.link);
    metrics.clients.set(board.size);
    metrics.heldBytes.set(board.held.bytes);
    metrics.heldFrames.set(board.held.frames);
    metrics.governorQueue.set(board.governed.queued);
    metrics.governorInFlight.set(board.governed.inFlight);
  });
}
