/**
 * Pods behind a Kubernetes Service, by its EndpointSlices. A thin shell: `ListWatch` decides what to ask, `SliceApi` asks, `SliceStore`
 * remembers, `unionOf` tells the pods, `Settle` waits until changes pause.
 *
 * The last good set stays for ever. No error clears it, and neither do slices that name no usable pod: when there is no slice at
 * all (the Service is gone, or the selector finds nothing) or none with the port, that is told in the status, and links find out
 * by themselves which pods still live. Only the slices of a Service can say that it has no pods: a Service with none keeps one
 * slice without endpoints.
 */
import type { Log } from '../log.ts';
import { type Clock, systemClock } from './clock.ts';
import { createKubeClient, type KubeClient } from './kube-client.ts';
import type { KubeConfigOptions } from './kube-credentials.ts';
import { LIST_WATCH_DEFAULTS, ListWatch, type ListWatchOptions } from './list-watch.ts';
import type { ListWatchEffect, ListWatchEvent } from './list-watch-events.ts';
import { ProblemLog } from './problem-log.ts';
import { Publisher } from './publisher.ts';
import { parseServiceTarget, type ServiceTarget } from './service-target.ts';
import { Settle, type SettleOptions } from './settle.ts';
import { SliceApi } from './slice-api.ts';
import { SliceStore } from './slice-store.ts';
import { type AddressFamily, unionOf } from './slices.ts';
import type { SourceStatus, Topology, TopologySource } from './topology.ts';
import { topologyOf } from './topology-of.ts';

export interface KubernetesSourceOptions extends KubeConfigOptions {
  /** `NAMESPACE/SERVICE:PORTNAME`; one that cannot be read throws `DiscoveryError` at once. */
  readonly service: string;
  readonly log: Log;
  /** For pods that have addresses of both. Default IPv4. */
  readonly family?: AddressFamily;
  readonly clock?: Clock;
  /** Uniform in [0, 1); for jitter. Default Math.random. */
  readonly random?: () => number;
  readonly listWatch?: Partial<Omit<ListWatchOptions, 'random'>>;
  readonly settle?: SettleOptions;
  readonly client?: KubeClient;
}

/** A pod that moves between slices, or one of both families, is two events; constant change is passed on twice a second. */
const SETTLE: SettleOptions = { quietMs: 100, maxMs: 500 };
/** As many problems of slices are told at once. */
const MAX_TOLD = 3;

export function kubernetesSource(options: KubernetesSourceOptions): TopologySource {
  return new KubernetesSource(parseServiceTarget(options.service), options);
}

class KubernetesSource implements TopologySource {
  readonly #target: ServiceTarget;
  readonly #clock: Clock;
  readonly #family: AddressFamily;
  readonly #connectionLog: ProblemLog;
  readonly #sliceLog: ProblemLog;
  readonly #publisher: Publisher;
  readonly #client: KubeClient;
  readonly #api: SliceApi;
  readonly #listWatch: ListWatch;
  readonly #store = new SliceStore();
  readonly #settle: Settle;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #startedAt = 0;
  #failures = 0;
  #connectionError: string | undefined;
  #slicesError: string | undefined;
  #sliceProblems = 0;
  /** Since when the slices tell no usable set, so that the last one is kept. */
  #keptSince: number | undefined;
  #cancelRequest = (): void => {};
  #cancelTimer = (): void => {};

  constructor(target: ServiceTarget, options: KubernetesSourceOptions) {
    const { log, clock = systemClock, random = Math.random } = options;
    this.#target = target;
    this.#clock = clock;
    this.#family = options.family ?? 'IPv4';
    this.#connectionLog = new ProblemLog(log);
    this.#sliceLog = new ProblemLog(log);
    this.#publisher = new Publisher(log);
    this.#client = options.client ?? createKubeClient(options);
    this.#api = new SliceApi(this.#client, target, (event) => this.#handle(event));
    this.#listWatch = new ListWatch({ ...LIST_WATCH_DEFAULTS, ...options.listWatch, random });
    this.#settle = new Settle(options.settle ?? SETTLE);
  }

  start(onTopology: (topology: Topology) => void): void {
    if (this.#state !== 'new') throw new Error('a topology source can be started once');
    this.#state = 'started';
    this.#startedAt = this.#clock.now();
    this.#publisher.open(onTopology);
    this.#handle({ on: 'start' });
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#publisher.close();
    this.#handle({ on: 'stop' });
    this.#cancelTimer();
    this.#client.close();
  }

  status(now: number): SourceStatus {
    const { heardAt, relists, watchRestarts } = this.#listWatch.facts;
    const lastError = this.#connectionError ?? this.#slicesError;
    return {
      source: 'kubernetes',
      ready: this.#publisher.last !== undefined,
      staleMs: this.#staleMs(now),
      ...(lastError === undefined ? {} : { lastError }),
      problems: this.#sliceProblems + (this.#connectionError === undefined ? 0 : 1),
      failures: this.#failures,
      relists,
      watchRestarts,
      ...(heardAt === undefined ? {} : { lastEventAgeMs: Math.max(0, now - heardAt) }),
    };
  }

  #staleMs(now: number): number {
    if (this.#state === 'new') return 0;
    const { failing, heardAt } = this.#listWatch.facts;
    const unheardSince = failing || heardAt === undefined ? (heardAt ?? this.#startedAt) : now;
    return Math.max(0, now - Math.min(unheardSince, this.#keptSince ?? now));
  }

  #handle(event: ListWatchEvent): void {
    const now = this.#clock.now();
    for (const effect of this.#listWatch.handle(event, now)) this.#perform(effect, now);
    if (this.#settle.due(now)) this.#tellPods(now);
    this.#arm(now);
  }

  #arm(now: number): void {
    this.#cancelTimer();
    if (this.#state !== 'started') return;
    const deadline = Math.min(this.#listWatch.nextDeadline(), this.#settle.deadline());
    if (deadline === Infinity) return;
    this.#cancelTimer = this.#clock.after(Math.max(0, deadline - now), () => this.#handle({ on: 'tick' }));
  }

  #perform(effect: ListWatchEffect, now: number): void {
    switch (effect.do) {
      case 'list':
        this.#cancelRequest = this.#api.list(effect);
        return;
      case 'watch':
        this.#cancelRequest = this.#api.watch(effect);
        return;
      case 'cancel':
        return this.#cancelRequest();
      case 'replace':
        this.#store.replace(effect.slices);
        return this.#publisher.last === undefined ? this.#tellPods(now) : this.#settle.changed(now);
      case 'put':
      case 'remove':
        this.#store[effect.do](effect.slice);
        return this.#settle.changed(now);
      case 'report':
        this.#failures += 1;
        this.#connectionError = effect.failure.message;
        return this.#connectionLog.problem({ service: this.#name, retryMs: effect.retryMs }, effect.failure.message);
      case 'recovered':
        this.#connectionError = undefined;
        return this.#connectionLog.recovered({ service: this.#name }, 'the Kubernetes API answers again');
    }
  }

  #tellPods(now: number): void {
    this.#settle.clear();
    const slices = this.#store.all();
    const { pods, problems } = unionOf(slices, { portName: this.#target.portName, family: this.#family });
    const unusable = slices.length === 0 || (pods.length === 0 && problems.length > 0);
    this.#keptSince = unusable ? (this.#keptSince ?? now) : undefined;
    this.#judgeSlices(slices.length === 0 ? [this.#noSlices] : problems);
    if (!unusable) this.#publisher.publish(topologyOf(pods, 'kubernetes'));
  }

  #judgeSlices(problems: readonly string[]): void {
    this.#sliceProblems = problems.length;
    if (problems.length === 0) {
      this.#slicesError = undefined;
      return this.#sliceLog.recovered({ service: this.#name }, 'the EndpointSlices are good again');
    }
    const more = problems.length > MAX_TOLD ? `; and ${problems.length - MAX_TOLD} more` : '';
    this.#slicesError = `Service ${this.#name}: ${problems.slice(0, MAX_TOLD).join('; ')}${more}`;
    this.#sliceLog.problem({ service: this.#name }, this.#slicesError);
  }

  get #name(): string {
    return `${this.#target.namespace}/${this.#target.service}`;
  }

  get #noSlices(): string {
    const kept = this.#publisher.last === undefined ? '' : '; the last pods are kept';
    return `there is no EndpointSlice with the label kubernetes.io/service-name=${this.#target.service} in namespace ${this.#target.namespace}; is the Service there, and does it have a selector?${kept}`;
  }
}
