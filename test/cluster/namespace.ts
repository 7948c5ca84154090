/** One namespace with a backend and an account for the proxy, and what an operator does to them: by the API, as kubectl does. */
import { sleep } from '../experiment/clock.ts';
import type { KubeApi, KubeObject, List } from './kube-api.ts';
import { persist } from './persist.ts';
import { isReady, type Pod } from './pod.ts';
import {
  BACKEND,
  type BackendSpec,
  backendBudget,
  backendService,
  backendWorkload,
  type Kind,
  PROXY_ACCOUNT,
  podSpec,
  proxyRole,
  proxyRoleBinding,
} from './workload.ts';

interface Workload extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

interface Slice extends KubeObject {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[];
}

/** How long the controllers and pods of a busy machine may take for what is asked of them. */
const DONE_MAX_MS = 180_000;
const POLL_MS = 100;
const TOKEN_SECONDS = 3_600;

export class Namespace {
  readonly name: string;
  readonly #api: KubeApi;
  #kind: Kind = 'Deployment';

  constructor(api: KubeApi, name: string) {
    this.#api = api;
    this.name = name;
  }

  /** Service, budget and workload; resolves when all pods are ready, and the Service has them. */
  async deploy(spec: BackendSpec): Promise<void> {
    this.#kind = spec.kind;
    await this.#api.create(`${this.#core}/services`, backendService);
    await this.#api.create(`/apis/policy/v1/namespaces/${this.name}/poddisruptionbudgets`, backendBudget);
    await this.#api.create(this.#workloads, backendWorkload(spec));
    await this.done();
    // After a restart of the API server each controller comes back in its own time: a minute in between was seen.
    await this.#until('the EndpointSlices', async () => (await this.#listed()) === spec.replicas);
  }

  /** How many pods the Service has as ready. */
  async #listed(): Promise<number> {
    const endpoints = (await this.slices()).flatMap(({ endpoints = [] }) => endpoints);
    return endpoints.filter(({ conditions }) => conditions?.ready === true).length;
  }

  /** An account that may do what Holdfast needs and nothing else. @returns a token of it */
  async proxyToken(): Promise<string> {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${this.name}`;
    await this.#api.create(`${this.#core}/serviceaccounts`, { metadata: { name: PROXY_ACCOUNT } });
    await this.#api.create(`${rbac}/roles`, proxyRole);
    await this.#api.create(`${rbac}/rolebindings`, proxyRoleBinding);
    const request = { spec: { expirationSeconds: TOKEN_SECONDS } };
    const path = `${this.#core}/serviceaccounts/${PROXY_ACCOUNT}/token`;
    const { status } = await this.#api.create<{ status: { token: string } }>(path, request);
    return status.token;
  }

  /** `kubectl rollout restart`: all it does is to change the template. */
  async restart(): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    await this.#api.patch(this.#workload, { spec: { template: { metadata: { annotations } } } });
  }

  /** A new version of the pods that listens at another port. */
  async movePort(port: number): Promise<void> {
    await this.#api.patch(this.#workload, { spec: { template: { spec: podSpec(port) } } });
  }

  /** `kubectl scale` */
  async scale(replicas: number): Promise<void> {
    await this.#api.patch(this.#workload, { spec: { replicas } });
  }

  /** `kubectl delete pod`; with `--force --grace-period=0` the object is gone at once. */
  async delete({ metadata }: Pod, { force }: { force: boolean }): Promise<void> {
    await this.#api.delete(`${this.#core}/pods/${metadata.name}`, force ? { gracePeriodSeconds: 0 } : {});
  }

  /** As `kubectl drain` does it to each pod of a node; resolves when the budget has let it go. */
  evict({ metadata: { name } }: Pod): Promise<unknown> {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
    return persist(AbortSignal.timeout(DONE_MAX_MS), () =>
      this.#api.create(`${this.#core}/pods/${name}/eviction`, eviction),
    );
  }

  /** `kubectl rollout status`: resolves when every pod is new and available, and the controller wants nothing more. */
  done(): Promise<void> {
    return this.#until('the rollout', async () => isDone(await this.#api.get<Workload>(this.#workload)));
  }

  /** Resolves when it is `count` pods that are ready and stay. */
  ready(count: number): Promise<void> {
    return this.#until(`${count} ready pods`, async () => (await this.serving()).length === count);
  }

  /** Resolves when another pod is ready in the place of this one. */
  replaced({ metadata }: Pod): Promise<void> {
    return this.#until(`a pod in the place of ${metadata.name}`, async () => {
      const { spec } = await this.#api.get<Workload>(this.#workload);
      const pods = await this.serving();
      return pods.length === spec.replicas && pods.every((pod) => pod.metadata.uid !== metadata.uid);
    });
  }

  /** Pods that the Service has as serving. */
  async serving(): Promise<Pod[]> {
    const { items } = await this.#api.get<List<Pod>>(`${this.#core}/pods`);
    return items.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  }

  async slices(): Promise<readonly Slice[]> {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${this.name}/endpointslices`;
    return (await this.#api.get<List<Slice>>(path)).items;
  }

  /** With all that is in it; its pods get a second. */
  async remove(): Promise<void> {
    await this.#api.delete(`/api/v1/namespaces/${this.name}`);
    await this.#api.delete(`${this.#core}/pods`, { gracePeriodSeconds: 1 });
  }

  /** Polled: a watch would have to outlive the API server. */
  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const untilMs = Date.now() + DONE_MAX_MS; !(await holds().catch(() => false)); await sleep(POLL_MS)) {
      if (Date.now() > untilMs) throw new Error(`${this.name}: ${what} took more than ${DONE_MAX_MS} ms`);
    }
  }

  get #core(): string {
    return `/api/v1/namespaces/${this.name}`;
  }

  get #workloads(): string {
    return `/apis/apps/v1/namespaces/${this.name}/${this.#kind === 'Deployment' ? 'deployments' : 'statefulsets'}`;
  }

  get #workload(): string {
    return `${this.#workloads}/${BACKEND}`;
  }
}

function isDone({ metadata, spec, status }: Workload): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const counts = [replicas, updatedReplicas, availableReplicas];
  return observedGeneration >= (metadata.generation ?? 0) && counts.every((count) => count === spec.replicas);
}
