/**
 * RabbitMQ: each pod a node of one cluster, clients at Web-STOMP, a topic for each user and destination. A message published
 * to any node reaches the user wherever it is connected, so producers need neither the ring nor the gateway.
 */
import { RabbitCluster } from '../../interop/rabbitmq.ts';
import { type Backend, type BackendOptions, USUAL } from './backend.ts';
import { brokerPosting } from './broker-posting.ts';

/** A node cuts its connections at SIGTERM, so that its sessions must have moved before: hand over, drain, close. */
const DRAIN_MAX_MS = 1_000;
const PRE_STOP_MS = 3_000;

export async function rabbitmq({ mode }: BackendOptions): Promise<Backend> {
  const cluster = await RabbitCluster.start(0);
  return {
    ...USUAL,
    startPod: async (name) => {
      const { address, process } = await cluster.run(name);
      return { name, address, process };
    },
    // Without the proxy nobody moves the clients away while a node waits.
    preStopMs: mode === 'holdfast' ? PRE_STOP_MS : 0,
    proxyFlags: ['--handover-drain-max', `${DRAIN_MAX_MS}ms`],
    subscriptionOf: topicOf,
    posting: ({ addresses, random, ids }) =>
      brokerPosting({ addresses, random, ids, path: USUAL.path, receipts: true, destinationOf: topicOf }),
    // A node forgets its counters when it restarts.
    brokerMessages: async () => undefined,
    stop: () => cluster.stop(),
  };
}

/** /queue/news of alice is /topic/alice.queue.news: a slash would have to be escaped. */
function topicOf(user: string, destination: string): string {
  return `/topic/${user}${destination.replaceAll('/', '.')}`;
}
