/** The kinds of backend that the experiment knows. */
import type { Backend, BackendOptions } from './backend.ts';
import { embedded } from './embedded.ts';
import { rabbitmq } from './rabbitmq.ts';

export type { Backend, BackendOptions, Mode, Producing } from './backend.ts';

export const backends = { embedded, rabbitmq } satisfies Record<string, (options: BackendOptions) => Promise<Backend>>;

export type BackendName = keyof typeof backends;

export const backendDescriptions: Readonly<Record<BackendName, string>> = {
  embedded: 'the backend of this repository, one process a pod',
  rabbitmq: 'a RabbitMQ cluster, one node a pod; producers publish to any node',
};
