/**
 * One pod on the node, from its container's start to its end, by the rules of kubelet 1.37 (pkg/kubelet/pod_workers.go and
 * kuberuntime/kuberuntime_container.go):
 *
 * - A container that ends by itself is started again under the same UID and address; a death is noticed at the next relist.
 * - A pod that is deleted has its grace period, of which preStop is a part; SIGTERM after preStop, SIGKILL at the end of the grace, at
 *   least two seconds after SIGTERM. Its readiness is probed all the time. When its process has ended, the object is deleted.
 * - A pod whose object is gone (`--force`) ends in the same way, and nobody is told.
 */
import type { Child, Exit } from '../experiment/child.ts';
import { startContainer } from './container.ts';
import type { KubeApi } from './kube-api.ts';
import { pause } from './pause.ts';
import { persist } from './persist.ts';
import { type Pod, pathOf } from './pod.ts';
import type { Ended, PodFacts } from './pod-status.ts';
import { probeReadiness } from './readiness.ts';
import { StatusWriter } from './status-writer.ts';

/** How often kubelet looks which containers run. */
const RELIST_MS = 1_000;
/** From SIGTERM to SIGKILL, whatever the grace period was. */
const TERM_MIN_MS = 2_000;
/** The first restart comes at once, the second after this, each next one after twice as long. */
const BACKOFF_FIRST_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGTERM: 15, SIGKILL: 9 };

export interface PodWorkerOptions {
  readonly api: KubeApi;
  readonly pod: Pod;
  readonly ip: string;
  /** The end of the kubelet: nothing is written any more. */
  readonly signal: AbortSignal;
}

export class PodWorker {
  /** Nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #api: KubeApi;
  readonly #pod: Pod;
  readonly #signal: AbortSignal;
  readonly #writer: StatusWriter;
  readonly #deletion = Promise.withResolvers<number>();
  #facts: PodFacts;
  #child: Child | undefined;
  #probed = false;
  #hidden = false;

  constructor({ api, pod, ip, signal }: PodWorkerOptions) {
    this.#api = api;
    this.#pod = pod;
    this.#signal = signal;
    this.#writer = new StatusWriter(api, pod, signal);
    this.#facts = {
      ...{ ip, startTime: now(), ready: false, restarts: 0, last: undefined, over: false },
      container: { is: 'waiting', reason: 'ContainerCreating' },
    };
    this.ended = this.#live();
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The object was changed: all that counts is whether it is to be deleted. */
  update(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) this.forget(pod);
  }

  /** The object is gone: kubelet gives the grace period of the pod, which nobody has made shorter. */
  forget({ metadata, spec }: Pod): void {
    const graceSeconds = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
    this.#deletion.resolve(Math.max(1, graceSeconds) * 1000);
  }

  /** The container's process dies. */
  crash(): void {
    this.#child?.signal('SIGKILL');
  }

  /** As if its probe failed, whatever it says; or no longer. */
  hide(hidden: boolean): void {
    this.#hidden = hidden;
    this.#tellReadiness();
  }

  /** Kills what runs, now. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async #live(): Promise<void> {
    const deletion = this.#deletion.promise.then((graceMs) => ({ graceMs }));
    for (;;) {
      const startedAt = now();
      const child = this.#create();
      if (child === undefined) {
        await deletion;
        return this.#end();
      }
      const probing = this.#run(child, startedAt);
      const event = await Promise.race([child.exited, deletion]);
      if ('graceMs' in event) await terminate(child, this.#pod, event.graceMs);
      probing.abort();
      if (this.#signal.aborted) return;
      const ended = { exitCode: codeOf(await child.exited), startedAt, finishedAt: now() };
      if ('graceMs' in event) return this.#end(ended);
      await pause(RELIST_MS - ((Date.now() - Date.parse(startedAt)) % RELIST_MS));
      const backoffMs = this.#facts.restarts === 0 ? 0 : BACKOFF_FIRST_MS * 2 ** (this.#facts.restarts - 1);
      this.#died(ended);
      const deleted = await Promise.race([pause(Math.min(backoffMs, BACKOFF_MAX_MS)), deletion]);
      if (deleted !== undefined) return this.#end(ended);
    }
  }

  /** Undefined when the pod asks for something that is not there, of which its status tells. */
  #create(): Child | undefined {
    try {
      return startContainer(this.#pod, this.#facts.ip);
    } catch (error) {
      const { message } = error as Error;
      void this.#tell({ container: { is: 'waiting', reason: 'CreateContainerError', message } });
      return undefined;
    }
  }

  /** @returns ends the probes */
  #run(child: Child, startedAt: string): AbortController {
    this.#child = child;
    this.#probed = false;
    this.#tell({ container: { is: 'running', startedAt }, ready: false });
    const probing = new AbortController();
    const [container] = this.#pod.spec.containers;
    if (container !== undefined) {
      const onChange = (ready: boolean) => {
        this.#probed = ready;
        this.#tellReadiness();
      };
      void probeReadiness({ ip: this.#facts.ip, container, signal: probing.signal, onChange });
    }
    return probing;
  }

  #tellReadiness(): void {
    const ready = this.#probed && !this.#hidden && this.#facts.container.is === 'running';
    if (ready !== this.#facts.ready) this.#tell({ ready });
  }

  #died(last: Ended): void {
    const restarts = this.#facts.restarts + 1;
    this.#tell({ container: { is: 'terminated', ...last }, ready: false, restarts, last });
  }

  async #end(last?: Ended): Promise<void> {
    const container = last === undefined ? {} : { container: { is: 'terminated', ...last } as const };
    await this.#tell({ ...container, ready: false, over: true });
    const { uid } = this.#pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    // Refused: it is gone, or another pod has its name.
    await persist(this.#signal, () => this.#api.delete(pathOf(this.#pod), options)).catch(() => {});
  }

  #tell(news: Partial<PodFacts>): Promise<void> {
    this.#facts = { ...this.#facts, ...news };
    return this.#writer.write(this.#facts);
  }
}

/** Resolves when the process has ended. */
async function terminate(child: Child, { spec }: Pod, graceMs: number): Promise<void> {
  const untilMs = Date.now() + graceMs;
  const preStopMs = (spec.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000;
  await Promise.race([pause(Math.min(preStopMs, graceMs)), child.exited]);
  child.signal('SIGTERM');
  const timer = setTimeout(() => child.signal('SIGKILL'), Math.max(TERM_MIN_MS, untilMs - Date.now()));
  await child.exited.finally(() => clearTimeout(timer));
}

function codeOf({ code, signal }: Exit): number {
  return code ?? 128 + (SIGNAL_NUMBERS[signal ?? 'SIGKILL'] ?? 0);
}

function now(): string {
  return new Date().toISOString();
}
