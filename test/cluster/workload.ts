/** The objects that a team would write for its backend, and for the proxy's access to the API. */
import { BACKEND_IMAGE } from './container.ts';

export type Kind = 'Deployment' | 'StatefulSet';

/** Also of the headless Service. */
export const BACKEND = 'backend';
/** The name of the port that serves WebSockets and the producers' door. */
export const PORT_NAME = 'http';
export const PORT = 8080;
/** Sessions move in this time; the embedded backend itself serves on after SIGTERM while it has sessions. */
const PRE_STOP_SECONDS = 3;
const GRACE_SECONDS = 30;
/** Who the proxy is, to the API server. */
export const PROXY_ACCOUNT = 'holdfast';

export interface BackendSpec {
  readonly kind: Kind;
  readonly replicas: number;
  /** Of a Deployment: a number of pods or a percentage of them. */
  readonly maxSurge: number | string;
}

export function backendWorkload({ kind, replicas, maxSurge }: BackendSpec) {
  const selector = { matchLabels: { app: BACKEND } };
  const common = { replicas, selector, template: { metadata: { labels: { app: BACKEND } }, spec: podSpec(PORT) } };
  const own =
    kind === 'Deployment'
      ? { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 0 } } }
      : { serviceName: BACKEND, podManagementPolicy: 'Parallel' };
  return { apiVersion: 'apps/v1', kind, metadata: { name: BACKEND }, spec: { ...common, ...own } };
}

/** @param port at which its container listens */
export function podSpec(port: number) {
  return {
    terminationGracePeriodSeconds: GRACE_SECONDS,
    containers: [
      {
        name: BACKEND,
        image: BACKEND_IMAGE,
        args: ['--name', '$(POD_NAME)', '--listen', `$(POD_IP):${port}`],
        env: [
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        ports: [{ name: PORT_NAME, containerPort: port }],
        readinessProbe: { httpGet: { path: '/healthz', port: PORT_NAME }, periodSeconds: 1, failureThreshold: 2 },
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
      },
    ],
  };
}

/** Headless: a StatefulSet wants one, and nobody connects to the address of another. */
export const backendService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: BACKEND },
  spec: {
    clusterIP: 'None',
    selector: { app: BACKEND },
    ports: [{ name: PORT_NAME, port: PORT, targetPort: PORT_NAME }],
  },
};

/** Node drains take one pod at a time. */
export const backendBudget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: BACKEND },
  spec: { maxUnavailable: 1, selector: { matchLabels: { app: BACKEND } } },
};

const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: PROXY_ACCOUNT } };

/** All that the proxy may do, and needs to. */
export const proxyRole = {
  ...RBAC,
  kind: 'Role',
  rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
};

export const proxyRoleBinding = {
  ...RBAC,
  kind: 'RoleBinding',
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: PROXY_ACCOUNT },
  subjects: [{ kind: 'ServiceAccount', name: PROXY_ACCOUNT }],
};
