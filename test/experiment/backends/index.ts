/** The kinds of backend that the experiment knows. */
import type { Backend, BackendOptions } from './backend.ts';
import { embedded } from './embedded.ts';
import { rabbitmq } from './rabbitmq.ts';
import { spring, springRelay } from './spring.ts';

export type { Backend, BackendOptions, Mode, Producing } from './backend.ts';

export const backends = { embedded, rabbitmq, spring, 'spring-relay': springRelay } satisfies Record<
  string,
  (options: BackendOptions) => Promise<Backend>
>;

export type BackendName = keyof typeof backends;

export const backendDescriptions: Readonly<Record<BackendName, string>> = {
  embedded: 'the backend of this repository, one process a pod',
  spring: 'a Spring Boot application with its simple broker, a JVM a pod',
  'spring-relay': 'the same, all pods with one RabbitMQ as their broker',
  rabbitmq: 'a RabbitMQ cluster, one node a pod; producers publish to any node',
};
