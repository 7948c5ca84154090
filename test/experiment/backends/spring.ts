/**
 * An ordinary Spring Boot application, a JVM a pod: with the broker inside of each process, or with one RabbitMQ that all pods
 * relay to.
 */
import { RabbitCluster } from '../../interop/rabbitmq.ts';
import { DOOR, SpringPod } from '../../interop/spring-pod.ts';
import { sleep } from '../clock.ts';
import type { FleetPod } from '../fleet-pod.ts';
import { gatewayPosting, randomPodPosting } from '../posting.ts';
import type { Backend, BackendOptions, Mode } from './backend.ts';
import { brokerPosting } from './broker-posting.ts';

/** A pod cuts its WebSockets at SIGTERM, so that its sessions must have moved before: settle, drain, close. */
const DRAIN_MAX_MS = 1_000;
const PRE_STOP_MS = 5_000;

/** The application's door for producers. */
/** Ids and numbers of the gateway go on to the client. */
const PROPERTIES = { 'messaging.producer-header-prefix': 'holdfast-' };
/** A subscription registers within milliseconds. */
const LIVE_MAX_MS = 30_000;
const LIVE_POLL_MS = 50;

/** Each pod knows its own users only. */
export async function spring({ mode }: BackendOptions): Promise<Backend> {
  return {
    ...common(mode),
    startPod: (name) => startSpringPod(name, PROPERTIES),
    proxyFlags: PROXY_FLAGS,
    destinations: ['/queue/news', '/queue/orders'],
    receipts: false,
    live: untilDelivered,
    posting: ({ adminUrl, addresses, random }) =>
      adminUrl === undefined ? randomPodPosting(addresses, random, DOOR) : gatewayPosting(adminUrl),
    brokerMessages: async () => undefined,
    stop: async () => {},
  };
}

/** All pods share a broker, tell each other of their users by it, and broadcast what is for somebody whom they do not know. */
export async function springRelay({ mode }: BackendOptions): Promise<Backend> {
  const cluster = await RabbitCluster.start(1);
  const [broker] = cluster.nodes;
  const relay = { 'spring.profiles.active': 'relay', 'messaging.relay.host': broker?.host ?? '' };
  return {
    ...common(mode),
    startPod: (name) => startSpringPod(name, { ...PROPERTIES, ...relay }),
    proxyFlags: [...PROXY_FLAGS, '--backend-profile', 'spring-relay'],
    // RabbitMQ would keep a durable queue for each /queue/… of each session.
    destinations: ['/topic/news', '/topic/orders'],
    receipts: true,
    live: async () => {},
    posting: ({ adminUrl, addresses, random, ids }) =>
      adminUrl === undefined
        ? brokerPosting({ addresses, random, ids, path: PATH, receipts: false, destinationOf: toUser })
        : gatewayPosting(adminUrl),
    brokerMessages: () => cluster.nodes[0]?.messages() ?? Promise.resolve(undefined),
    stop: () => cluster.stop(),
  };
}

/** With `withSockJS()` plain WebSocket clients connect here. */
const PATH = '/ws/websocket';
const PROXY_FLAGS = ['--handover-drain-max', `${DRAIN_MAX_MS}ms`, '--gateway-url', `http://{address}${DOOR}`];

function common(mode: Mode) {
  return {
    path: PATH,
    // Without the proxy nobody moves the clients away while a pod waits.
    preStopMs: mode === 'holdfast' ? PRE_STOP_MS : 0,
    subscriptionOf: (_user: string, destination: string) => `/user${destination}`,
  };
}

/** What any client may SEND to, so that the pod resolves the user as `convertAndSendToUser` does. */
function toUser(user: string, destination: string): string {
  return `/user/${user}${destination}`;
}

async function startSpringPod(name: string, properties: Readonly<Record<string, string>>): Promise<FleetPod> {
  const { address, process } = await SpringPod.start({ name, properties });
  return { name, address, process };
}

/** The simple broker answers no receipts; the door says whether the user has the subscription. */
async function untilDelivered(user: string, destination: string, addresses: readonly string[]): Promise<void> {
  const path = `/api/users/${user}/messages?destination=${encodeURIComponent(destination)}`;
  for (const until = Date.now() + LIVE_MAX_MS; Date.now() < until; await sleep(LIVE_POLL_MS)) {
    for (const address of addresses) {
      const { status } = await fetch(`http://${address}${path}`, { method: 'POST', body: JSON.stringify({ n: 0 }) });
      if (status === 200) return;
    }
  }
  throw new Error(`${user} is not subscribed to ${destination} after ${LIVE_MAX_MS} ms`);
}
