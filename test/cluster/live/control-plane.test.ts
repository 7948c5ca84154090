/** The control plane is a real one: it authenticates, authorizes, admits, defaults, controls, and survives its own API server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ControlPlane } from '../control-plane.ts';
import { KubeApi, type KubeObject, type List } from '../kube-api.ts';
import { Namespace } from '../namespace.ts';
import { backendWorkload, podSpec } from '../workload.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-control-plane-'));
let plane: ControlPlane;
let lastNumber = 0;

beforeAll(async () => {
  plane = await ControlPlane.start({ directory });
});

afterAll(async () => {
  await plane?.stop();
  rmSync(directory, { recursive: true });
});

async function namespace(labels: Readonly<Record<string, string>> = {}): Promise<Namespace> {
  const name = `test-${++lastNumber}`;
  await plane.api.create('/api/v1/namespaces', { metadata: { name, labels } });
  await plane.hasServiceAccount(name);
  return new Namespace(plane.api, name);
}

it("gives the proxy's account what it needs and nothing else", async () => {
  const made = await namespace();
  const api = new KubeApi({ ...plane.access, token: await made.proxyToken() });
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${made.name}/endpointslices`;
  expect((await api.get<List<KubeObject>>(slices)).items).toEqual([]);
  const others = [`${slices}/backend`, slices.replace(made.name, 'default'), `/api/v1/namespaces/${made.name}/pods`];
  for (const path of others) await expect(api.get(path)).rejects.toMatchObject({ status: 403 });
  api.close();
});

it('turns away who has no token', async () => {
  const api = new KubeApi({ ...plane.access, token: 'stolen' });
  await expect(api.get('/api/v1/namespaces')).rejects.toMatchObject({ status: 401 });
  api.close();
});

it('refuses a privileged pod where Pod Security is restricted, in a dry run too', async () => {
  const { name } = await namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const pod = { metadata: { name: 'root' }, spec: podSpec(8080) };
  await expect(plane.api.create(`/api/v1/namespaces/${name}/pods?dryRun=All`, pod)).rejects.toThrow(
    'violates PodSecurity "restricted:latest"',
  );
});

it('has controllers that make pods of a Deployment, and an API server that forgets nothing when it is restarted', async () => {
  const { name } = await namespace();
  const workload = backendWorkload({ kind: 'Deployment', replicas: 2, maxSurge: 1 });
  const made = await plane.api.create(`/apis/apps/v1/namespaces/${name}/deployments`, workload);
  const pods = async () => (await plane.api.get<List<KubeObject>>(`/api/v1/namespaces/${name}/pods`)).items;
  await expect.poll(pods, { timeout: 30_000 }).toHaveLength(2);
  const { url } = plane;
  await plane.stopApiServer();
  await expect(plane.api.get('/readyz')).rejects.toThrow('ECONNREFUSED');
  await plane.startApiServer();
  expect(plane.url).toBe(url);
  const again = await plane.api.get(`/apis/apps/v1/namespaces/${name}/deployments/backend`);
  expect(again.metadata.uid).toBe(made.metadata.uid);
  expect(await pods()).toHaveLength(2);
});
