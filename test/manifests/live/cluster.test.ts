/** A real API server takes every object, and lets the proxy's account do what the Role says and nothing else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createLog } from '../../../proxy/log.ts';
import { serve } from '../../../proxy/serve.ts';
import { ControlPlane } from '../../cluster/control-plane.ts';
import { KubeApi, type List } from '../../cluster/kube-api.ts';
import { kubeconfigText } from '../../discovery/fake-api/index.ts';
import { configFrom, eventually } from '../../support/proxy.ts';
import { OVERLAYS } from '../names.ts';
import { customResourceFiles } from './published-schemas.ts';
import { find, type KubeObject, render } from './render.ts';
import { deploymentsOf } from './workloads.ts';

const NAMESPACE = 'chat';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-api-'));
/** The control plane is built first where that has not been done: many minutes. */
const START_MAX_MS = 3_600_000;
let plane: ControlPlane;

beforeAll(async () => {
  plane = await ControlPlane.start({ directory });
  for (const file of customResourceFiles()) {
    const definition = parse(readFileSync(file, 'utf8')) as KubeObject;
    await plane.api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  }
  await apply(find(render('overlays/spring'), 'Namespace', NAMESPACE));
  await plane.hasServiceAccount(NAMESPACE);
}, START_MAX_MS);

afterAll(async () => {
  await plane?.stop();
  rmSync(directory, { recursive: true });
});

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** Where objects of this kind are, as the API server itself says. */
async function collectionOf({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
  const version = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const { resources } = await plane.api.get<ResourceList & { metadata: never }>(version);
  const resource = resources.find((one) => one.kind === kind && !one.name.includes('/'));
  if (resource === undefined) throw new Error(`the API server knows no ${kind} of ${apiVersion}`);
  return resource.namespaced
    ? `${version}/namespaces/${metadata.namespace}/${resource.name}`
    : `${version}/${resource.name}`;
}

/** As `kubectl apply --server-side --validate=strict` does it. */
async function apply(object: KubeObject, more = ''): Promise<void> {
  const collection = await collectionOf(object);
  const query = `fieldManager=test&fieldValidation=Strict${more}`;
  await plane.api.patch(`${collection}/${object.metadata.name}?${query}`, object, 'apply');
}

const dryRun = (object: KubeObject) => apply(object, '&dryRun=All');

describe.each(OVERLAYS)('%s', (path) => {
  const objects = render(path);

  test.each(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s is taken',
    async (_, object) => {
      await eventually(() => dryRun(object));
    },
  );

  test.each(deploymentsOf(objects).map((deployment) => [deployment.metadata.name, deployment] as const))(
    'the pods of %s are taken where Pod Security is restricted',
    async (name, { spec }) => {
      const { metadata, spec: pod } = spec.template;
      // Of an account that is there: what matters is what the pod may do.
      const asDefault = { ...pod, serviceAccountName: 'default' };
      const body = { metadata: { ...metadata, name: `${name}-0` }, spec: asDefault };
      await plane.api.create(`/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All&fieldValidation=Strict`, body);
    },
  );
});

test('a field that is misspelt, and a pod that may more, are refused', async () => {
  const deployment = find(render('overlays/spring'), 'Deployment', 'holdfast');
  const misspelt = { ...deployment, spec: { ...(deployment['spec'] as object), minReadySecond: 1 } };
  await expect(dryRun(misspelt)).rejects.toThrow('minReadySecond');
  const pod = { metadata: { name: 'root' }, spec: { containers: [{ name: 'root', image: 'root' }] } };
  await expect(plane.api.create(`/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, pod)).rejects.toThrow('restricted');
});

const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;

/** Two pods behind the Service, as the EndpointSlice controller would tell of them. */
function slice(): object {
  const endpoint = (n: number) => ({
    addresses: [`10.0.0.${n}`],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: {
      kind: 'Pod',
      namespace: NAMESPACE,
      name: `backend-${n}`,
      uid: `00000000-0000-4000-8000-00000000000${n}`,
    },
  });
  return {
    metadata: { name: 'backend-1', labels: { 'kubernetes.io/service-name': 'backend' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [endpoint(1), endpoint(2)],
  };
}

describe('the account of the proxy, with the Role as it is rendered', () => {
  let token: string;
  let api: KubeApi;

  beforeAll(async () => {
    const objects = render('overlays/spring');
    for (const kind of ['ServiceAccount', 'Role', 'RoleBinding']) await apply(find(objects, kind, 'holdfast'));
    const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/holdfast`;
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = await plane.api.create<{ status: { token: string } }>(`${account}/token`, request);
    token = status.token;
    api = new KubeApi({ ...plane.access, token });
    await plane.api.create(SLICES, slice());
  });

  afterAll(() => api?.close());

  test('lets a proxy find the pods and follow them', async () => {
    const kubeconfig = join(directory, 'holdfast.kubeconfig');
    writeFileSync(kubeconfig, kubeconfigText({ server: plane.url, caPem: plane.access.caPem, token }), { mode: 0o600 });
    const config = configFrom(['--kubernetes', `${NAMESPACE}/backend:http`, '--kubeconfig', kubeconfig]);
    const proxy = await serve(config, createLog({ level: 'error', users: false }, { write: () => {} }));
    onTestFinished(() => proxy.stop());
    const pods = async () => /^holdfast_pods\{state="serving"\} (\d+)$/m.exec(await scrape(proxy.adminUrl))?.[1];
    await expect.poll(pods, { timeout: 30_000 }).toBe('2');
    await plane.api.patch(`${SLICES}/backend-1`, { endpoints: [] });
    await expect.poll(pods, { timeout: 30_000 }).toBe('0');
    expect(await scrape(proxy.adminUrl)).toMatch(/^holdfast_topology_failures_total 0$/m);
  });

  test('lets it list', async () => {
    expect((await api.get<List<KubeObject>>(SLICES)).items).toHaveLength(1);
  });

  const core = `/api/v1/namespaces/${NAMESPACE}`;
  test.each([
    ['get one EndpointSlice', () => api.get(`${SLICES}/backend-1`)],
    ['list those of another namespace', () => api.get(SLICES.replace(NAMESPACE, 'default'))],
    ['list those of all namespaces', () => api.get('/apis/discovery.k8s.io/v1/endpointslices')],
    ['create one', () => api.create(SLICES, slice())],
    ['change one', () => api.patch(`${SLICES}/backend-1`, { endpoints: [] })],
    ['delete one', () => api.delete(`${SLICES}/backend-1`)],
    ['list Services', () => api.get(`${core}/services`)],
    ['list pods', () => api.get(`${core}/pods`)],
    ['create a pod', () => api.create(`${core}/pods`, { metadata: { name: 'x' }, spec: { containers: [] } })],
    ['list Secrets', () => api.get(`${core}/secrets`)],
    ['get its own ConfigMap', () => api.get(`${core}/configmaps/holdfast`)],
    ['ask for another token', () => api.create(`${core}/serviceaccounts/default/token`, {})],
    ['list nodes', () => api.get('/api/v1/nodes')],
    ['change its Role', () => api.delete(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles/holdfast`)],
  ])('does not let it %s', async (_, ask) => {
    await expect(ask()).rejects.toMatchObject({ status: 403 });
  });
});

async function scrape(adminUrl: string): Promise<string> {
  return (await fetch(`${adminUrl}/metrics`)).text();
}
