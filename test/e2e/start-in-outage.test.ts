/** A proxy that starts while the Kubernetes API is down, with a file to fall back on; then the API comes back. */
import { expect, onTestFinished, test } from 'vitest';
import { started } from '../backend/tools.ts';
import {
  type FakePod,
  kubeconfigText,
  SliceController,
  startFakeApi,
  temporaryFolder,
} from '../discovery/fake-api/index.ts';
import { echo, echoClient } from '../support/client.ts';
import { eventually, startProxy } from '../support/proxy.ts';

test('serves the pods of the file, says so, and moves nobody when the API names the same pods', async () => {
  const backend = await started({ name: 'pod-1' });
  const [ip = '', port] = backend.address.split(':');
  const folder = await temporaryFolder();
  onTestFinished(folder.remove);
  const api = await startFakeApi();
  onTestFinished(() => api.stop());
  const pod: FakePod = { name: 'pod-1', uid: 'uid-1', ip };
  new SliceController(api.history, { name: 'chat', ports: [{ name: 'http', port: Number(port) }] }).set(pod);
  const kubeconfig = await folder.write('kubeconfig', kubeconfigText({ server: api.url, caPem: api.caPem }));
  const pods = await folder.write('pods.json', JSON.stringify([{ name: 'pod-1', address: backend.address }]));
  await api.stop();

  const flags = ['--kubernetes', 'shop/chat:http', '--kubeconfig', kubeconfig];
  const proxy = await startProxy([], [...flags, '--fallback-pods-file', pods, '--fallback-after', '300ms']);
  const readiness = async () => (await fetch(`${proxy.admin}/readyz`)).status;
  expect(await readiness()).toBe(503);
  await proxy.line(({ msg }) => msg.includes('has not answered since the start; file is asked'));
  await eventually(async () => expect(await readiness()).toBe(200));
  await proxy.metricIs('holdfast_topology_source{source="file"}', 1);
  const client = await echoClient(proxy.ws, 'alice');
  await echo(client, 'while the API is down');

  await api.restart();
  await proxy.line(({ msg }) => msg.startsWith('kubernetes answers'));
  await proxy.metricIs('holdfast_topology_source{source="kubernetes"}', 1);
  await echo(client, 'when it is back');
  expect(await proxy.metric('holdfast_moves_total')).toBe(0);
  expect(await proxy.metric('holdfast_handovers_total{outcome="done"}')).toBe(0);
}, 60_000);
