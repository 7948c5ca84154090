/** The health of every pod that a link was ever sent to, for as long as the pod is there. */
import type { Pod, Topology } from '../discovery/index.ts';
import { PodHealth } from './pod-health.ts';

export class Fleet {
  readonly #windowMax: number;
  readonly #health = new Map<string, PodHealth>();
  #pods = new Map<string, Pod>();

  /** @param windowMax links on their way to CONNECTED, at most, for each pod */
  constructor(windowMax: number) {
    this.#windowMax = windowMax;
  }

  /** Links on their way to CONNECTED, to all pods. */
  get inFlight(): number {
    let sum = 0;
    for (const health of this.#health.values()) sum += health.inFlight;
    return sum;
  }

  pod(id: string): Pod | undefined {
    return this.#pods.get(id);
  }

  healthOf(podId: string): PodHealth {
    const known = this.#health.get(podId);
    if (known !== undefined) return known;
    const health = new PodHealth(this.#windowMax);
    this.#health.set(podId, health);
    return health;
  }

  /**
   * A new snapshot. A pod that has (again) become serving, or has another address, is another process: what links showed of
   * it before is void. What is known of pods that are gone is forgotten once no link to them is on its way.
   */
  update(topology: Topology): void {
    const before = this.#pods;
    this.#pods = new Map(topology.pods.map((pod) => [pod.id, pod]));
    for (const pod of topology.pods) {
      const was = before.get(pod.id);
      const isSame = was?.state === pod.state && was.address === pod.address;
      if (pod.state === 'serving' && !isSame) this.#health.get(pod.id)?.trust();
    }
    for (const [id, health] of this.#health) if (!this.#pods.has(id) && health.inFlight === 0) this.#health.delete(id);
  }
}
