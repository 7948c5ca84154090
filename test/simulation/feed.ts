/**
 * The Kubernetes API as discovery sees it: EndpointSlices in order, but late, twice, or not at all until the next list, and
 * pods that stand in two slices while they move between them. What the proxy makes of them is its own code.
 */
import type { EndpointSlice, SliceEndpoint } from '../../proxy/discovery/endpoint-slice.ts';
import { Settle } from '../../proxy/discovery/settle.ts';
import { SliceStore } from '../../proxy/discovery/slice-store.ts';
import { unionOf } from '../../proxy/discovery/slices.ts';
import type { PodState, Topology } from '../../proxy/discovery/topology.ts';
import { sameTopology, topologyOf } from '../../proxy/discovery/topology-of.ts';
import type { Agenda } from './agenda.ts';
import { type Network, Pipe } from './pipe.ts';
import type { SimPod } from './pods.ts';

const SETTLE = { quietMs: 50, maxMs: 200 };
const SLICES = ['slice-a', 'slice-b'] as const;
const STALE_SLICE = 'slice-old';
/** A lost event is made good by the next list. */
const RELIST_MS = 700;

export class Feed {
  readonly #agenda: Agenda;
  readonly #watch: Pipe;
  readonly #store = new SliceStore();
  readonly #settle = new Settle(SETTLE);
  readonly #publish: (topology: Topology) => void;
  readonly #pods: readonly SimPod[];
  /** In which slice a pod is listed; both while it moves. */
  readonly #placed = new Map<string, readonly string[]>();
  #last: Topology | undefined;
  readonly #versions = new Map<string, number>();
  readonly #stale = new Map<string, PodState>();
  #lastWritten: string = SLICES[0];
  readonly #written = new Map<string, string>();
  #isLossy = false;

  constructor(network: Network, pods: readonly SimPod[], publish: (topology: Topology) => void) {
    this.#agenda = network.agenda;
    this.#pods = pods;
    this.#publish = publish;
    this.#watch = new Pipe(network, true, () => {});
  }

  /** Pods have changed. Only slices that say something else than before are written. */
  changed(): void {
    for (const name of [...SLICES, STALE_SLICE]) this.#write(name);
  }

  /** A pod goes from one slice to the other; in between it stands in both, or in none. */
  shuffle(pod: SimPod, overlaps: boolean, ms: number): void {
    const [from = SLICES[0]] = this.#placed.get(pod.uid) ?? [SLICES[0]];
    const to = from === SLICES[0] ? SLICES[1] : SLICES[0];
    this.#placed.set(pod.uid, overlaps ? [from, to] : []);
    this.#write(overlaps ? to : from);
    this.#agenda.after(ms, () => {
      this.#placed.set(pod.uid, [to]);
      this.#write(overlaps ? from : to);
    });
  }

  /** From now on the pod stands also in a slice that nobody writes any more, as it is now. One pod in a world. */
  strand(pod: SimPod): void {
    if (this.#stale.size > 0) return;
    this.#stale.set(pod.uid, pod.state);
    this.#write(STALE_SLICE);
  }

  late(ms: number): void {
    this.#watch.holdUntil(this.#agenda.now + ms);
  }

  /** Events get lost for so long; then comes a list. */
  lose(ms: number): void {
    this.#isLossy = true;
    this.#agenda.after(ms + RELIST_MS, () => this.relist());
  }

  /** The latest event once more. */
  repeat(): void {
    if (!this.#isLossy) this.#tell(this.#sliceOf(this.#lastWritten));
  }

  relist(): void {
    this.#isLossy = false;
    const slices = [...SLICES, STALE_SLICE].map((name) => this.#sliceOf(name));
    this.#watch.push(() => {
      this.#store.replace(slices);
      this.#changed();
    });
  }

  #write(name: string): void {
    const endpoints = JSON.stringify(this.#sliceOf(name).endpoints);
    if (this.#written.get(name) === endpoints) return;
    this.#written.set(name, endpoints);
    this.#lastWritten = name;
    this.#versions.set(name, (this.#versions.get(name) ?? 0) + 1);
    if (!this.#isLossy) this.#tell(this.#sliceOf(name));
  }

  #tell(slice: EndpointSlice): void {
    this.#watch.push(() => {
      this.#store.put(slice);
      this.#changed();
    });
  }

  #changed(): void {
    this.#settle.changed(this.#agenda.now);
    const atMs = this.#settle.deadline();
    this.#agenda.at(atMs, () => this.#wake());
  }

  #wake(): void {
    if (!this.#settle.due(this.#agenda.now)) return;
    this.#settle.clear();
    const { pods } = unionOf(this.#store.all(), { portName: '', family: 'IPv4' });
    const topology = topologyOf(pods, 'kubernetes');
    if (this.#last !== undefined && sameTopology(this.#last, topology)) return;
    this.#last = topology;
    this.#publish(topology);
  }

  #sliceOf(name: string): EndpointSlice {
    const isListed = ({ uid }: SimPod) => (this.#placed.get(uid) ?? [SLICES[0]]).includes(name);
    const living = this.#pods.filter(isListed).map((pod) => endpointOf(pod, pod.state));
    return {
      ...{ name, uid: name, resourceVersion: `${this.#versions.get(name) ?? 0}`, addressType: 'IPv4' },
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
      endpoints: name === STALE_SLICE ? this.#staleEndpoints() : living,
    };
  }

  #staleEndpoints(): SliceEndpoint[] {
    return this.#pods.flatMap((pod) => {
      const state = this.#stale.get(pod.uid);
      return state === undefined ? [] : [endpointOf(pod, state)];
    });
  }
}

function endpointOf({ uid, name, ip }: SimPod, state: PodState): SliceEndpoint {
  const conditions = { ready: state === 'serving', serving: state !== 'unready', terminating: state === 'draining' };
  return { podUid: uid, podName: name, address: ip, ...conditions };
}
