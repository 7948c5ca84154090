/** An API server with a Service of two pods, a source that follows it, and what belongs to both, for as long as one test lasts. */
import { afterEach, beforeAll } from 'vitest';
import { type KubernetesSourceOptions, kubernetesSource } from '../../proxy/discovery/index.ts';
import { type FakePod, kubeconfigText, SliceController, startFakeApi, temporaryFolder } from './fake-api/index.ts';
import { FastClock } from './fast-clock.ts';
import { Recorder } from './recorder.ts';

export const PORTS = [{ name: 'stomp', port: 8080 }];
export const A: FakePod = { name: 'a', uid: 'uid-a', ip: '10.0.0.1' };
export const B: FakePod = { name: 'b', uid: 'uid-b', ip: '10.0.0.2' };
export const C: FakePod = { name: 'c', uid: 'uid-c', ip: '10.0.0.3' };
export const ONLY_A = 'a=10.0.0.1:8080';
export const AB = 'a=10.0.0.1:8080 b=10.0.0.2:8080';

const cleanups: (() => Promise<void>)[] = [];

// In a hurry of thirty times, loading the package would take longer than a request may.
beforeAll(async () => {
  await import('@kubernetes/client-node');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** @param options with `tokenFile`, token and certificate authority are files that a test can rewrite */
export async function begin(options: Partial<KubernetesSourceOptions> & { tokenFile?: boolean } = {}) {
  const { tokenFile, ...rest } = options;
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  const api = await startFakeApi();
  cleanups.push(() => api.stop());
  const controller = new SliceController(api.history, { name: 'backend', ports: PORTS, sliceSize: 1 });
  controller.set(A, B);
  const token = await folder.write('token', 'good-token\n');
  const caFile = await folder.write('ca.crt', api.caPem);
  const parts = { server: api.url, caPem: api.caPem, ...(tokenFile ? { tokenFile: token, caFile } : {}) };
  const kubeconfig = await folder.write('kubeconfig', kubeconfigText(parts));
  const recorder = new Recorder();
  const clock = new FastClock(30);
  const source = kubernetesSource({ service: 'shop/backend:stomp', kubeconfig, log: recorder.log, clock, ...rest });
  cleanups.push(() => source.stop());
  const status = () => source.status((rest.clock ?? clock).now());
  return { folder, api, controller, recorder, source, status };
}

/** The same, when the source knows both pods and watches. */
export async function running(options: Parameters<typeof begin>[0] = {}) {
  const world = await begin(options);
  world.recorder.start(world.source);
  await world.recorder.untilPods(AB);
  await world.api.until((api) => api.watches.size === 1);
  return world;
}
