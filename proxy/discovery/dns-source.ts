/**
 * Pods behind a headless Service, by DNS. It knows less than the EndpointSlices: only pods that are ready, no UIDs, and names only
 * from the SRV records of a StatefulSet. So it is for the time in which the Kubernetes API cannot be asked.
 */
import { promises as dns } from 'node:dns';
import type { Log } from '../log.ts';
import { formatAddress } from './address.ts';
import { type Clock, systemClock } from './clock.ts';
import { messageOf } from './discovery-error.ts';
import { ProblemLog } from './problem-log.ts';
import { Publisher } from './publisher.ts';
import type { Pod, SourceStatus, Topology, TopologySource } from './topology.ts';
import { topologyOf } from './topology-of.ts';

/** The questions that it asks, as `dns.promises.Resolver` answers them. */
export type Resolver = Pick<dns.Resolver, 'resolve4' | 'resolve6' | 'resolveSrv' | 'cancel'>;

/** What is asked: the addresses of a headless Service, or its SRV records, which also know the port. */
export type DnsTarget =
  | { readonly kind: 'addresses'; readonly host: string; readonly port: number }
  | { readonly kind: 'srv'; readonly host: string };

export interface DnsSourceOptions {
  readonly target: DnsTarget;
  readonly log: Log;
  readonly clock?: Clock;
  /** Default: the name servers of the system. */
  readonly resolver?: Resolver;
}

/** CoreDNS lets answers about Services live for 5 s. */
const POLL_MS = 5_000;
/** Each question: two tries of two seconds. */
const QUESTION_TIMEOUT_MS = 2_000;
const QUESTION_TRIES = 2;

export function dnsSource(options: DnsSourceOptions): TopologySource {
  return new DnsSource(options);
}

class DnsSource implements TopologySource {
  readonly #target: DnsTarget;
  readonly #clock: Clock;
  readonly #log: ProblemLog;
  readonly #publisher: Publisher;
  readonly #resolver: Resolver;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #problem: { message: string; since: number } | undefined;
  #startedAt = 0;
  #failures = 0;
  #cancelTimer = (): void => {};

  constructor({ target, log, clock = systemClock, resolver }: DnsSourceOptions) {
    this.#target = target;
    this.#clock = clock;
    this.#log = new ProblemLog(log);
    this.#publisher = new Publisher(log);
    this.#resolver = resolver ?? new dns.Resolver({ timeout: QUESTION_TIMEOUT_MS, tries: QUESTION_TRIES });
  }

  start(onTopology: (topology: Topology) => void): void {
    if (this.#state !== 'new') throw new Error('a topology source can be started once');
    this.#state = 'started';
    this.#startedAt = this.#clock.now();
    this.#publisher.open(onTopology);
    void this.#ask();
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#publisher.close();
    this.#cancelTimer();
    this.#resolver.cancel();
  }

  status(now: number): SourceStatus {
    const ready = this.#publisher.last !== undefined;
    const since = this.#problem?.since ?? (ready || this.#state === 'new' ? now : this.#startedAt);
    return {
      source: 'dns',
      ready,
      staleMs: Math.max(0, now - since),
      ...(this.#problem === undefined ? {} : { lastError: this.#problem.message }),
      problems: this.#problem === undefined ? 0 : 1,
      failures: this.#failures,
    };
  }

  async #ask(): Promise<void> {
    try {
      const pods = await podsOf(this.#target, this.#resolver);
      if (this.#state === 'stopped') return;
      this.#problem = undefined;
      this.#log.recovered({ host: this.#target.host }, 'DNS names the pods again');
      this.#publisher.publish(topologyOf(pods, 'dns'));
    } catch (error) {
      if (this.#state === 'stopped') return;
      this.#failed(messageOf(error));
    }
    this.#cancelTimer = this.#clock.after(POLL_MS, () => void this.#ask());
  }

  #failed(reason: string): void {
    const kept = this.#publisher.last === undefined ? 'there are no pods until it answers' : 'the last pods stay';
    const message = `DNS does not name the pods of ${this.#target.host}: ${reason} (${kept}); is there a headless Service of that name, with ready pods?`;
    this.#failures += 1;
    this.#problem = { message, since: this.#problem?.since ?? this.#clock.now() };
    this.#log.problem({ host: this.#target.host }, message);
  }
}

/** A name without addresses is an error of DNS, so there is always one. */
async function podsOf(target: DnsTarget, resolver: Resolver): Promise<Pod[]> {
  if (target.kind === 'addresses') {
    const addresses = await addressesOf(target.host, resolver);
    return addresses.map((address) => podAt(address, target.port, address.replaceAll(':', '-')));
  }
  const records = await resolver.resolveSrv(target.host);
  return Promise.all(
    records.map(async ({ name, port }) => {
      const [address = ''] = await addressesOf(name, resolver);
      return podAt(address, port, name.split('.', 1)[0] ?? name);
    }),
  );
}

/** Of a Service with both families the IPv4 ones, as with EndpointSlices. */
async function addressesOf(host: string, resolver: Resolver): Promise<string[]> {
  try {
    return await resolver.resolve4(host);
  } catch (error) {
    return resolver.resolve6(host).catch(() => Promise.reject(error));
  }
}

function podAt(host: string, port: number, name: string): Pod {
  const address = formatAddress(host, port);
  return { id: address, name, address, state: 'serving' };
}
