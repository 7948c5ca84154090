/** Holdfast's own backend: each pod a process, messages to any pod's HTTP door, users known only where they are connected. */
import { jsonOf, nodeProgram } from '../child.ts';
import type { FleetPod } from '../fleet-pod.ts';
import { gatewayPosting, randomPodPosting } from '../posting.ts';
import { type Backend, type BackendOptions, USUAL } from './backend.ts';

/** What clients see: a pod that ends, ends now. Without the proxy nobody moves its clients away, and Spring closes them. */
const DIRECT_POD_FLAGS = ['--drain-grace', '0'];

export async function embedded({ mode, podFlags }: BackendOptions): Promise<Backend> {
  const flags = [...(mode === 'direct' ? DIRECT_POD_FLAGS : []), ...podFlags];
  return {
    ...USUAL,
    startPod: (name, own) => startEmbeddedPod(name, [...flags, ...own]),
    preStopMs: 0,
    proxyFlags: [],
    subscriptionOf: (_user, destination) => `/user${destination}`,
    posting: ({ adminUrl, addresses, random }) =>
      adminUrl === undefined ? randomPodPosting(addresses, random) : gatewayPosting(adminUrl),
    brokerMessages: async () => undefined,
    stop: async () => {},
  };
}

/** @param flags of backend/main.ts */
export async function startEmbeddedPod(name: string, flags: readonly string[]): Promise<FleetPod> {
  const process = nodeProgram(name, 'backend/main.ts', ['--name', name, '--exit-on-stdin-end', ...flags]);
  const address = await process.line((line) => {
    const { ready, address } = jsonOf(line) ?? {};
    return ready === true && typeof address === 'string' ? address : undefined;
  });
  return { name, address, process };
}
