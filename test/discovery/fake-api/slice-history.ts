/**
 * The memory of the fake API server: EndpointSlices with resource versions, and the history that watches start from. Versions are
 * numbers here, as in etcd; clients must not rely on it.
 */

export interface SliceObject {
  apiVersion: 'discovery.k8s.io/v1';
  kind: 'EndpointSlice';
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    labels: Record<string, string>;
  };
  addressType: string;
  endpoints: object[] | null;
  ports: object[] | null;
}

/** What a writer gives; the rest is the server's. */
export type SliceSpec = Pick<SliceObject, 'addressType' | 'endpoints' | 'ports'> & {
  name: string;
  namespace?: string;
  service: string;
};

export interface HistoryEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: SliceObject;
}

export class SliceHistory {
  readonly #objects = new Map<string, SliceObject>();
  readonly #listeners = new Set<(event: HistoryEvent) => void>();
  #events: HistoryEvent[] = [];
  /** Real clusters never start at zero, and clients must not care. */
  #version = 1000;
  #oldest = 1000;
  #uids = 0;

  get version(): number {
    return this.#version;
  }

  /** The version that a watch can start from at the earliest. */
  get oldest(): number {
    return this.#oldest;
  }

  all(): SliceObject[] {
    return [...this.#objects.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  apply(spec: SliceSpec): SliceObject {
    const { name, service, namespace = 'shop', ...content } = spec;
    const old = this.#objects.get(`${namespace}/${name}`);
    this.#version += 1;
    this.#uids += 1;
    const object: SliceObject = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name,
        namespace,
        uid: old?.metadata.uid ?? `slice-uid-${this.#uids}`,
        resourceVersion: String(this.#version),
        generation: (old?.metadata.generation ?? 0) + 1,
        labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'fake' },
      },
      ...content,
    };
    this.#objects.set(key(object), object);
    this.#record(old === undefined ? 'ADDED' : 'MODIFIED', object);
    return object;
  }

  remove(name: string, namespace = 'shop'): void {
    const old = this.#objects.get(`${namespace}/${name}`);
    if (old === undefined) return;
    this.#version += 1;
    this.#objects.delete(key(old));
    this.#record('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#version) } });
  }

  /** Forgets the history, as etcd does after five minutes: a watch from before gets 410. */
  compact(): void {
    this.#events = [];
    this.#oldest = this.#version;
  }

  /** Other resources of the cluster move the version on, too. */
  advance(by = 1): void {
    this.#version += by;
  }

  since(version: number): HistoryEvent[] {
    return this.#events.filter((event) => event.version > version);
  }

  listen(listener: (event: HistoryEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #record(type: HistoryEvent['type'], object: SliceObject): void {
    const event = { version: this.#version, type, object };
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

function key(object: SliceObject): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}
