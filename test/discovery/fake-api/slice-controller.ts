/**
 * A fake EndpointSlice controller: pods in, slices out, by the rules of k8s.io/endpointslice (utils.go, podToEndpoint):
 * serving = pod is ready; terminating = it is being deleted; ready = publishNotReadyAddresses || (serving && !terminating). A pod
 * without an address, or that succeeded or failed, is left out.
 */
import type { SliceHistory } from './slice-history.ts';

export interface FakePod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly ipv6?: string;
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly phase?: 'Running' | 'Succeeded' | 'Failed';
}

export interface FakeService {
  readonly name: string;
  readonly namespace?: string;
  readonly publishNotReadyAddresses?: boolean;
  readonly ports: { name: string; port: number }[];
  /** Endpoints in one slice; the real default is 100. */
  readonly sliceSize?: number;
}

export class SliceController {
  readonly #history: SliceHistory;
  readonly #service: FakeService;
  readonly #pods = new Map<string, FakePod>();
  readonly #written = new Map<string, string>();

  constructor(history: SliceHistory, service: FakeService) {
    this.#history = history;
    this.#service = service;
    this.#reconcile();
  }

  /** A pod is made, or its status changes. */
  set(...pods: FakePod[]): void {
    for (const pod of pods) this.#pods.set(pod.uid, pod);
    this.#reconcile();
  }

  /** The pod object is gone. */
  remove(...uids: string[]): void {
    for (const uid of uids) this.#pods.delete(uid);
    this.#reconcile();
  }

  /** The Service is deleted, and the garbage collector takes its slices. */
  removeService(): void {
    for (const name of this.#written.keys()) this.#history.remove(name, this.#service.namespace);
    this.#written.clear();
  }

  #reconcile(): void {
    const wanted = new Map<string, { addressType: string; endpoints: object[] }>();
    for (const addressType of ['IPv4', 'IPv6']) {
      const endpoints = [...this.#pods.values()].flatMap((pod) => this.#endpoint(pod, addressType));
      if (endpoints.length === 0 && addressType === 'IPv6') continue;
      for (const [index, part] of chunk(endpoints, this.#service.sliceSize ?? 100).entries()) {
        wanted.set(`${this.#service.name}-${addressType.toLowerCase()}-${index}`, { addressType, endpoints: part });
      }
    }
    for (const [name, slice] of wanted) this.#write(name, slice);
    for (const name of this.#written.keys()) {
      if (wanted.has(name)) continue;
      this.#history.remove(name, this.#service.namespace);
      this.#written.delete(name);
    }
  }

  #write(name: string, { addressType, endpoints }: { addressType: string; endpoints: object[] }): void {
    const text = JSON.stringify(endpoints);
    if (this.#written.get(name) === text) return;
    this.#written.set(name, text);
    const { namespace = 'shop' } = this.#service;
    // The placeholder of a Service without pods has neither endpoints nor ports.
    const ports = endpoints.length === 0 ? null : this.#service.ports.map((port) => ({ ...port, protocol: 'TCP' }));
    this.#history.apply({ name, namespace, service: this.#service.name, addressType, endpoints, ports });
  }

  #endpoint(pod: FakePod, addressType: string): object[] {
    const address = addressType === 'IPv4' ? pod.ip : (pod.ipv6 ?? '');
    if (address === '' || pod.phase === 'Succeeded' || pod.phase === 'Failed') return [];
    const serving = pod.ready ?? true;
    const terminating = pod.deleting ?? false;
    const ready = this.#service.publishNotReadyAddresses === true || (serving && !terminating);
    const targetRef = { kind: 'Pod', namespace: this.#service.namespace ?? 'shop', name: pod.name, uid: pod.uid };
    return [{ addresses: [address], conditions: { ready, serving, terminating }, targetRef }];
  }
}

/** At least one part, be it empty. */
function chunk<T>(values: T[], size: number): T[][] {
  const parts: T[][] = [[]];
  for (const value of values) {
    const last = parts.at(-1);
    if (last !== undefined && last.length < size) last.push(value);
    else parts.push([value]);
  }
  return parts;
}
