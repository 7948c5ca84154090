/** What holds between the objects that are rendered, which no schema knows. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CLOSE_GRACE_MS } from '../../../proxy/admin/server.ts';
import { type Config, type LoadedConfig, loadConfig } from '../../../proxy/config/index.ts';
import { CLOSE_MAX_S, GATEWAY_DRAIN_MS } from '../../../proxy/serve.ts';
import { folder, OVERLAYS, PROXY_ENV, RENDERED, root } from '../names.ts';
import { find, type KubeObject, render } from './render.ts';
import { chooses, type Deployment, deploymentsOf, type Labels } from './workloads.ts';

const rendered = new Map(RENDERED.map((path) => [path, render(path)]));
const objectsOf = (path: string) => rendered.get(path) ?? [];
const proxyOf = (path: string) => find(objectsOf(path), 'Deployment', 'holdfast') as unknown as Deployment;

/** What a selector of another object, with the ports that it names, must find. */
interface Reference {
  readonly from: string;
  readonly labels: Labels;
  readonly ports: readonly string[];
}

describe.each(RENDERED)('%s', (path) => {
  const objects = objectsOf(path);
  const deployments = deploymentsOf(objects);

  test('every pod keeps to the Pod Security Standard "restricted", on a root file system that is read-only', () => {
    for (const { spec } of deployments) {
      const { securityContext, containers } = spec.template.spec;
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(securityContext['runAsUser']).toBeGreaterThan(0);
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  test('every container says what it needs, has a bound for memory and none for CPU, and an image from a registry', () => {
    for (const container of deployments.flatMap(({ spec }) => spec.template.spec.containers)) {
      const { requests, limits } = container.resources;
      expect(Object.keys(requests)).toEqual(['cpu', 'memory']);
      expect(limits).toEqual({ memory: requests['memory'] });
      expect(container.image).toMatch(/^[a-z.]+\/[a-z-]+:\d+\.\d+\.\d+$/);
    }
  });

  test('only the proxy has a token for the Kubernetes API', () => {
    const withToken = deployments.filter(({ spec }) => spec.template.spec.automountServiceAccountToken);
    expect(withToken.map(({ metadata }) => metadata.name)).toEqual(['holdfast']);
    expect(proxyOf(path).spec.template.spec.serviceAccountName).toBe('holdfast');
    expect(find(objects, 'ServiceAccount', 'holdfast')['automountServiceAccountToken']).toBe(false);
  });

  test('that token is good for EndpointSlices of the namespace, to list and to watch', () => {
    expect(find(objects, 'Role', 'holdfast')['rules']).toEqual([
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ]);
    const binding = find(objects, 'RoleBinding', 'holdfast');
    expect(binding['roleRef']).toMatchObject({ kind: 'Role', name: 'holdfast' });
    expect(binding['subjects']).toEqual([{ kind: 'ServiceAccount', name: 'holdfast', namespace: 'chat' }]);
    expect(objects.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
  });

  test('selectors find pods, and the ports that they name are there', () => {
    for (const { from, labels, ports } of referencesIn(objects)) {
      const found = deployments.filter(({ spec }) => chooses(labels, spec.template.metadata.labels));
      const ofNamedPods = found.flatMap(({ spec }) => spec.template.spec.containers.flatMap((one) => one.ports ?? []));
      // The base leaves the backend to others; all else is its own.
      if (path === 'base' && chooses({ 'app.kubernetes.io/name': 'backend' }, labels)) continue;
      if (isOfOverlaysWithoutBackend(path) && chooses({ 'app.kubernetes.io/name': 'backend' }, labels)) continue;
      expect(found, from).not.toEqual([]);
      for (const port of ports)
        expect(
          ofNamedPods.map(({ name }) => name),
          from,
        ).toContain(port);
    }
  });

  test('the file that the proxy reads is the one of the ConfigMap, and right', () => {
    expect(loaded(path)).toMatchObject({ ok: true });
  });

  test('the ports of the proxy are those of its configuration, and its probes are on the admin port', () => {
    const [container] = proxyOf(path).spec.template.spec.containers;
    expect(container.ports).toEqual([
      { name: 'ws', containerPort: 8080 },
      { name: 'admin', containerPort: 9090 },
    ]);
    expect(container.startupProbe.httpGet).toEqual({ path: '/healthz', port: 'admin' });
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'admin' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'admin' });
  });

  test('the number of proxies is left to the autoscaler', () => {
    expect(proxyOf(path).spec.replicas).toBeUndefined();
    const { scaleTargetRef } = find(objects, 'HorizontalPodAutoscaler', 'holdfast')['spec'] as {
      scaleTargetRef: object;
    };
    expect(scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'holdfast' });
  });
});

/** What the proxy makes of its arguments, its variables and the file of the ConfigMap that is mounted. */
function loaded(path: string): LoadedConfig {
  const { containers, volumes } = proxyOf(path).spec.template.spec;
  const mapName = volumes.find(({ name }) => name === 'config')?.configMap?.name ?? '';
  const { data } = find(objectsOf(path), 'ConfigMap', mapName) as unknown as { data: Record<string, string> };
  const [verb, ...argv] = containers[0].args ?? [];
  if (verb !== 'serve') throw new Error(`the proxy is started with ${verb}`);
  const readFile = (file: string) => data[relative('/etc/holdfast', file)] ?? '';
  return loadConfig({ argv, env: { ...PROXY_ENV, ...plainVariables(path) }, readFile });
}

function configOf(path: string): Config {
  const result = loaded(path);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function isOfOverlaysWithoutBackend(path: string): boolean {
  return path === 'overlays/ingress-nginx' || path === 'overlays/gateway-api';
}

/** HOLDFAST_* variables of the Deployment that hold no reference. */
function plainVariables(path: string): Record<string, string> {
  const [{ env = [] }] = proxyOf(path).spec.template.spec.containers;
  const plain = env.filter(({ name, value }) => name.startsWith('HOLDFAST_') && !(value ?? '$').includes('$'));
  return Object.fromEntries(plain.map(({ name, value = '' }) => [name, value]));
}

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels };
}

interface Policy {
  readonly podSelector: { readonly matchLabels?: Labels };
  readonly ingress?: readonly {
    readonly from?: readonly Peer[];
    readonly ports?: readonly { readonly port: unknown }[];
  }[];
  readonly egress?: readonly {
    readonly to?: readonly Peer[];
    readonly ports?: readonly { readonly port: unknown }[];
  }[];
}

function referencesIn(objects: readonly KubeObject[]): Reference[] {
  return objects.flatMap((object) => {
    const from = `${object.kind} ${object.metadata.name}`;
    switch (object.kind) {
      case 'Service': {
        const { selector, ports } = object['spec'] as { selector: Labels; ports: { targetPort: string }[] };
        return [{ from, labels: selector, ports: ports.map(({ targetPort }) => targetPort) }];
      }
      case 'PodDisruptionBudget': {
        const { selector } = object['spec'] as { selector: { matchLabels: Labels } };
        return [{ from, labels: selector.matchLabels, ports: [] }];
      }
      case 'PodMonitor': {
        const { selector, podMetricsEndpoints } = object['spec'] as {
          selector: { matchLabels: Labels };
          podMetricsEndpoints: { port: string }[];
        };
        return [{ from, labels: selector.matchLabels, ports: podMetricsEndpoints.map(({ port }) => port) }];
      }
      case 'NetworkPolicy':
        return referencesOf(from, object['spec'] as Policy);
      default:
        return [];
    }
  });
}

function referencesOf(from: string, { podSelector, ingress = [], egress = [] }: Policy): Reference[] {
  const named = (ports: readonly { readonly port: unknown }[] = []) =>
    ports.map(({ port }) => port).filter((port) => typeof port === 'string');
  const labels = podSelector.matchLabels ?? {};
  const out = egress.flatMap(({ to = [], ports }) =>
    to.flatMap((peer) => {
      const wanted = peer.podSelector?.matchLabels;
      return wanted === undefined ? [] : [{ from: `${from}, egress`, labels: wanted, ports: named(ports) }];
    }),
  );
  return [{ from, labels, ports: ingress.flatMap(({ ports }) => named(ports)) }, ...out];
}

describe('times', () => {
  test('a proxy has ended in order long before it is killed', () => {
    const { containers, terminationGracePeriodSeconds } = proxyOf('base').spec.template.spec;
    const endS = CLOSE_MAX_S + (GATEWAY_DRAIN_MS + CLOSE_GRACE_MS) / 1000;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(containers[0].lifecycle.preStop.sleep.seconds + 1.5 * endS);
  });

  test('the pods of the example serve until their sessions have moved', () => {
    const { spec } = find(objectsOf('overlays/spring'), 'Deployment', 'backend') as unknown as Deployment;
    const { containers, terminationGracePeriodSeconds } = spec.template.spec;
    const preStopMs = containers[0].lifecycle.preStop.sleep.seconds * 1000;
    const { backend, handover, topology } = configOf('overlays/spring');
    const movedMs = (1000 * MOST_SESSIONS_OF_A_POD) / handover.perSecond + backend.settleMs + handover.drainMaxMs;
    expect(preStopMs).toBeGreaterThan(movedMs + 1000);
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(2 * preStopMs);
    expect((spec.minReadySeconds ?? 0) * 1000).toBeGreaterThan(topology.admitAfterMs);
  });
});

/** docs/KUBERNETES.md says how to reckon with other numbers. */
const MOST_SESSIONS_OF_A_POD = 3000;

describe('what a policy lets through', () => {
  test.each(OVERLAYS)('%s: nothing but what another policy allows', (path) => {
    const deny = find(objectsOf(path), 'NetworkPolicy', 'default-deny');
    expect(deny['spec']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  test.each([
    ['base', undefined],
    ['overlays/spring', [{ podSelector: {} }]],
    ['overlays/ingress-nginx', [namespace('ingress-nginx')]],
    ['overlays/gateway-api', [namespace('gateways')]],
  ])('%s: clients come from %j', (path, from) => {
    const { ingress = [] } = find(objectsOf(path), 'NetworkPolicy', 'holdfast')['spec'] as Policy;
    expect(ingress).toEqual([
      { ...(from === undefined ? {} : { from }), ports: [{ port: 'ws' }] },
      { from: [namespace('monitoring')], ports: [{ port: 'admin' }] },
    ]);
  });

  test('producers come by their label, and only where they are asked for a token', () => {
    const { ingress } = find(objectsOf('overlays/producers'), 'NetworkPolicy', 'holdfast-producers')['spec'] as Policy;
    expect(ingress).toEqual([
      { from: [{ podSelector: { matchLabels: { 'holdfast-producer': 'true' } } }], ports: [{ port: 'admin' }] },
    ]);
    expect(plainVariables('overlays/producers')).toMatchObject({
      HOLDFAST_GATEWAY_TOKEN_FILE: '/etc/holdfast-gateway/token',
    });
    const opened = RENDERED.filter((path) =>
      objectsOf(path).some(({ metadata }) => metadata.name === 'holdfast-producers'),
    );
    expect(opened).toEqual(['overlays/producers']);
  });
});

function namespace(name: string) {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}

test('a Gateway is told that there are WebSockets behind the port of clients, and only there', () => {
  const protocolOf = (name: string) => {
    const { ports } = find(objectsOf('overlays/gateway-api'), 'Service', name)['spec'] as { ports: object[] };
    return ports.map((port) => ('appProtocol' in port ? port.appProtocol : undefined));
  };
  expect(protocolOf('holdfast')).toEqual(['kubernetes.io/ws']);
  expect(protocolOf('holdfast-admin')).toEqual([undefined]);
});

/** A folder with a copy of the manifests, and a kustomization beside it, as docs/KUBERNETES.md begins. */
function ownOverlay(kustomization: string): KubeObject[] {
  const own = mkdtempSync(join(tmpdir(), 'holdfast-overlay-'));
  onTestFinished(() => rmSync(own, { recursive: true }));
  cpSync(folder, join(own, 'manifests'), { recursive: true });
  cpSync(join(folder, 'base/holdfast.yaml'), join(own, 'holdfast.yaml'));
  writeFileSync(join(own, 'kustomization.yaml'), kustomization);
  return render(own);
}

test('the overlay of docs/KUBERNETES.md works as it stands there', () => {
  const page = readFileSync(join(root, 'docs/KUBERNETES.md'), 'utf8');
  const [, block = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const objects = ownOverlay(block.replaceAll(/^ {3}/gm, ''));
  const { spec } = find(objects, 'Deployment', 'holdfast') as unknown as Deployment;
  expect(spec.template.spec.containers[0].image).toBe('registry.you.example/holdfast:0.1.0');
  expect(objects.map(({ kind }) => kind)).toContain('Ingress');
});

test('an overlay in another namespace leaves nothing behind in this one', () => {
  const objects = ownOverlay('namespace: talk\nresources: [manifests/overlays/producers]\n');
  const places = objects.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace));
  expect(new Set(places)).toEqual(new Set(['talk']));
  expect(find(objects, 'RoleBinding', 'holdfast')['subjects']).toMatchObject([{ namespace: 'talk' }]);
});
