/** The proxy, put together: the only file that knows all parts. */
import { createAdmin, type Health } from './admin/index.ts';
import { type Config, formatHostPort, type HostPort } from './config/index.ts';
import type { Topology, TopologySource } from './discovery/index.ts';
import { createFront, type Front } from './front.ts';
import type { Log } from './log.ts';
import type { LogLosses } from './log-output.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createGateway } from './producers.ts';
import type { Running } from './running.ts';
import { createSource } from './sources.ts';

export { CLOSE_MAX_S } from './front.ts';

/** Messages of producers that are under way when the proxy stops get this long. */
export const GATEWAY_DRAIN_MS = 2_000;

/** Of a log that is not on a stream. */
const NO_LOSSES: LogLosses = { linesLost: 0 };

const now = () => performance.now();

/** Runs the proxy; resolves when both ports listen, rejects (and leaves nothing behind) when one cannot be had. */
export async function serve(config: Config, log: Log, losses: LogLosses = NO_LOSSES): Promise<Running> {
  const metrics = createMetrics();
  const front = await frontOf(config, metrics, log);
  const source = createSource(config, log);
  const gateway = createGateway(config, front.facts, metrics, log);
  let stopping = false;
  const health = createHealth(front, source, () => stopping);
  const scrape = () => front.scrape();
  const admin = createAdmin({ scrape, health, doors: gateway.doors, log });
  readOnScrape(metrics, source);
  metrics.beforeScrape(() => metrics.logLinesLost.set(losses.linesLost));

  const stop = async () => {
    stopping = true;
    await Promise.all([front.dismiss(), gateway.close(GATEWAY_DRAIN_MS)]);
    await Promise.all([source.stop(), admin.close()]);
    await front.close();
  };
  const [listening, administered] = await Promise.allSettled([front.listen(config.listen), admin.listen(config.admin)]);
  if (listening.status === 'rejected' || administered.status === 'rejected') {
    await stop();
    throw busyPort(listening, 'listen', config.listen) ?? busyPort(administered, 'admin', config.admin);
  }
  source.start((topology) => follow(topology, front, metrics));
  const listenUrl = urlOf(listening.value);
  const adminUrl = urlOf(administered.value);
  log.info({ listen: listenUrl, admin: adminUrl, source: source.status(now()).source }, 'holdfast serves');
  return { listenUrl, adminUrl, stop };
}

/** Several processes are loaded only where they are wanted. */
async function frontOf(config: Config, metrics: Metrics, log: Log): Promise<Front> {
  if (config.workers === 1) {
    metrics.workers.set(1);
    return createFront(config, metrics, log);
  }
  return (await import('./workers/crew-front.ts')).createCrewFront(config, metrics, log);
}

/** Ready once the pods are known: from then on a client is held rather than refused when there is none. */
function createHealth(front: Front, source: TopologySource, isStopping: () => boolean): Health {
  return {
    readiness: () => {
      const { ready, source: name, lastError } = source.status(now());
      const { isServing, reasons: own } = front.readiness();
      const reasons = [...own, ...(lastError === undefined ? [] : [lastError])];
      if (!ready) reasons.unshift(`the pods are not known yet: the ${name} source has not answered`);
      if (isStopping()) reasons.unshift('shutting down');
      return { ready: ready && isServing && !isStopping(), reasons };
    },
    sessions: () => front.sessions(),
  };
}

/** What to say when a port cannot be had. */
function busyPort(result: PromiseSettledResult<unknown>, key: string, at: HostPort): Error | undefined {
  if (result.status === 'fulfilled') return undefined;
  const { message, code } = result.reason as NodeJS.ErrnoException;
  if (code === undefined) return result.reason as Error;
  return new Error(
    `${key}: cannot listen on ${formatHostPort(at)} (${message}); choose another with --${key} HOST:PORT`,
  );
}

function follow(topology: Topology, front: Front, metrics: Metrics): void {
  const states = { serving: 0, draining: 0, unready: 0 };
  for (const pod of topology.pods) states[pod.state]++;
  for (const state of ['serving', 'draining', 'unready'] as const) metrics.pods.of(state).set(states[state]);
  metrics.topologyChanges.inc();
  front.topology(topology);
}

function readOnScrape(metrics: Metrics, source: TopologySource): void {
  metrics.beforeScrape(() => {
    const status = source.status(now());
    metrics.topologySource.clear();
    metrics.topologySource.of(status.source).set(1);
    metrics.topologyStale.set(status.staleMs / 1000);
    metrics.topologyProblems.set(status.problems);
    metrics.topologyFailures.set(status.failures);
  });
}

/** An address to connect to: one that stands for every interface is not. */
function urlOf({ host, port }: HostPort): string {
  return `http://${formatHostPort({ host: host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host, port })}`;
}
