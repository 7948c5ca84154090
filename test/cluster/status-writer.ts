/** Brings what the kubelet knows of a pod to the API server: the newest, and once more while it is not taken. */
import type { KubeApi } from './kube-api.ts';
import { persist } from './persist.ts';
import { type Pod, type PodStatus, pathOf } from './pod.ts';
import { type PodFacts, statusOf } from './pod-status.ts';

export class StatusWriter {
  readonly #api: KubeApi;
  readonly #pod: Pod;
  readonly #signal: AbortSignal;
  #wanted: PodStatus | undefined;
  #written: PodStatus | undefined;
  #writing: Promise<void> | undefined;

  constructor(api: KubeApi, pod: Pod, signal: AbortSignal) {
    this.#api = api;
    this.#pod = pod;
    this.#signal = signal;
  }

  /** Resolves when this, or something newer, was written, or the pod is no longer in the API. */
  write(facts: PodFacts): Promise<void> {
    this.#wanted = statusOf(this.#pod, facts, this.#wanted, new Date().toISOString());
    this.#writing ??= this.#drain();
    return this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#wanted !== this.#written) {
      const status = this.#wanted;
      // With its UID: the next pod of this name is another one.
      const { uid } = this.#pod.metadata;
      const patch = { metadata: { uid }, status };
      await persist(this.#signal, () => this.#api.patch(`${pathOf(this.#pod)}/status`, patch)).catch(() => {});
      this.#written = status;
    }
    this.#writing = undefined;
  }
}
