/**
 * A node without containers: every pod that is bound to it is a process of this repository at an address of its own. It is also the
 * scheduler, for there is one node to choose from. It does not renew a lease: no controller runs that would miss it.
 */
import { NODE_ADDRESS, PodAddresses } from './addresses.ts';
import { follow } from './follow.ts';
import type { KubeApi } from './kube-api.ts';
import { persist } from './persist.ts';
import { type Pod, pathOf } from './pod.ts';
import { PodWorker } from './pod-worker.ts';

export const NODE_NAME = 'loopback';

export class Kubelet {
  readonly #api: KubeApi;
  readonly #addresses = new PodAddresses();
  readonly #workers = new Map<string, PodWorker>();
  readonly #end = new AbortController();

  private constructor(api: KubeApi) {
    this.#api = api;
  }

  /** Resolves when the node is there. */
  static async start(api: KubeApi): Promise<Kubelet> {
    const kubelet = new Kubelet(api);
    await register(api);
    void follow<Pod>(api, {
      path: '/api/v1/pods',
      signal: kubelet.#end.signal,
      onPut: (pod) => kubelet.#put(pod),
      onGone: (pod) => kubelet.#forget(pod),
    });
    return kubelet;
  }

  /** What runs a pod. Throws when it does not run here. */
  workerOf(pod: Pod): PodWorker {
    const worker = this.#workers.get(uidOf(pod));
    if (worker === undefined) throw new Error(`pod ${pod.metadata.name} does not run on this node`);
    return worker;
  }

  /** Resolves when all pods of a namespace that goes have ended. */
  async gone(namespace: string): Promise<void> {
    const its = [...this.#workers.values()].filter(({ pod }) => pod.metadata.namespace === namespace);
    await Promise.all(its.map(({ ended }) => ended));
  }

  /** Kills all pods, and tells nobody. */
  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(Array.from(this.#workers.values(), (worker) => worker.kill()));
  }

  #put(pod: Pod): void {
    const worker = this.#workers.get(uidOf(pod));
    if (worker !== undefined) return worker.update(pod);
    if (pod.spec.nodeName === undefined) return void this.#bind(pod);
    if (pod.spec.nodeName === NODE_NAME) this.#run(pod);
  }

  #run(pod: Pod): void {
    const ip = this.#addresses.next();
    const worker = new PodWorker({ api: this.#api, pod, ip, signal: this.#end.signal });
    this.#workers.set(uidOf(pod), worker);
    worker.update(pod);
  }

  /** Only now: until its object is gone, news of it may come after its end. */
  #forget(pod: Pod): void {
    const worker = this.#workers.get(uidOf(pod));
    worker?.forget(pod);
    void worker?.ended.then(() => this.#workers.delete(uidOf(pod)));
  }

  #bind({ metadata }: Pod): Promise<unknown> {
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: metadata.name },
      target: { name: NODE_NAME },
    };
    // Refused: it was bound before, or it is gone.
    return persist(this.#end.signal, () => this.#api.create(`${pathOf({ metadata })}/binding`, binding)).catch(
      () => {},
    );
  }
}

async function register(api: KubeApi): Promise<void> {
  await api.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME } });
  const now = new Date().toISOString();
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const status = {
    conditions: [ready],
    addresses: [{ type: 'InternalIP', address: NODE_ADDRESS }],
    allocatable: { cpu: '64', memory: '64Gi', pods: '1000' },
  };
  await api.patch(`/api/v1/nodes/${NODE_NAME}/status`, { status });
}

function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? '';
}
