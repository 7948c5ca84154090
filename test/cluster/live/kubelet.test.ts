/** The node does with pods what a kubelet does, as the EndpointSlices of the real controller tell it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Cluster } from '../cluster.ts';
import type { Namespace } from '../namespace.ts';
import type { Pod } from '../pod.ts';

interface Slice {
  readonly metadata: { readonly name: string };
  readonly endpoints: readonly Endpoint[] | null;
  readonly ports: readonly { readonly name: string; readonly port: number }[] | null;
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly targetRef: { readonly uid: string };
}

let cluster: Cluster;
let namespace: Namespace;

beforeAll(async () => {
  cluster = await Cluster.start();
});

afterAll(async () => {
  await cluster?.stop();
});

beforeEach(async () => {
  namespace = await cluster.namespace();
  await namespace.deploy({ kind: 'Deployment', replicas: 1, maxSurge: 1 });
});

afterEach(async () => {
  await cluster.remove(namespace);
});

async function endpoints(): Promise<Endpoint[]> {
  const slices = (await namespace.slices()) as unknown as Slice[];
  return slices.flatMap(({ endpoints }) => endpoints ?? []);
}

async function only(): Promise<Pod> {
  const [pod, ...others] = await namespace.serving();
  if (pod === undefined || others.length > 0) throw new Error(`${others.length} pods more than one are ready`);
  return pod;
}

/** What the slices say of a pod, each word once while it stays the same: ready/serving/terminating, or gone. */
function story(pod: Pod): { words: string[]; stop(): Promise<void> } {
  const words: string[] = [];
  const end = new AbortController();
  const look = async () => {
    while (!end.signal.aborted) {
      const found = (await endpoints()).find(({ targetRef }) => targetRef.uid === pod.metadata.uid);
      const word = found === undefined ? 'gone' : textOf(found.conditions);
      if (words.at(-1) !== word) words.push(word);
    }
  };
  const looking = look();
  return {
    words,
    stop: async () => {
      end.abort();
      await looking;
    },
  };
}

function textOf({ ready, serving, terminating }: Endpoint['conditions']): string {
  return [ready, serving, terminating].map((holds) => (holds ? 'T' : 'F')).join('/');
}

it('runs a pod at an address of its own, where its backend answers', async () => {
  const pod = await only();
  const [endpoint] = await endpoints();
  expect(endpoint?.addresses).toEqual([pod.status?.podIP]);
  const answer = await fetch(`http://${pod.status?.podIP}:8080/healthz`);
  expect(await answer.json()).toEqual({ status: 'serving', pod: pod.metadata.name });
});

it('ends a pod as the slices should tell it: serving while it terminates, then gone', async () => {
  const pod = await only();
  const told = story(pod);
  await namespace.delete(pod, { force: false });
  await namespace.replaced(pod);
  await expect.poll(() => told.words, { timeout: 30_000 }).toEqual(['T/T/F', 'F/T/T', 'gone']);
  await told.stop();
  await expect(fetch(`http://${pod.status?.podIP}:8080/healthz`)).rejects.toThrow();
});

it('forgets a pod that is deleted by force at once, though its process has its grace period', async () => {
  const pod = await only();
  const { ended } = cluster.kubelet.workerOf(pod);
  await namespace.delete(pod, { force: true });
  await namespace.replaced(pod);
  await ended;
  await expect(fetch(`http://${pod.status?.podIP}:8080/healthz`)).rejects.toThrow();
});

it('starts a container that died again, under the same UID and address', async () => {
  const pod = await only();
  const told = story(pod);
  cluster.kubelet.workerOf(pod).crash();
  await expect.poll(() => told.words, { timeout: 30_000 }).toEqual(['T/T/F', 'F/F/F', 'T/T/F']);
  await told.stop();
  const again = await only();
  expect(again.metadata.uid).toBe(pod.metadata.uid);
  expect(again.status?.podIP).toBe(pod.status?.podIP);
  expect(again.status?.containerStatuses).toEqual([
    expect.objectContaining({
      restartCount: 1,
      lastState: { terminated: expect.objectContaining({ exitCode: 137 }) },
    }),
  ]);
});

it('takes a pod out while its readiness fails', async () => {
  const pod = await only();
  const told = story(pod);
  const worker = cluster.kubelet.workerOf(pod);
  worker.hide(true);
  await expect.poll(() => told.words).toEqual(['T/T/F', 'F/F/F']);
  worker.hide(false);
  await expect.poll(() => told.words).toEqual(['T/T/F', 'F/F/F', 'T/T/F']);
  await told.stop();
});
