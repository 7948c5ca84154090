/** A whole cluster on one machine: a control plane, a node for its pods, and namespaces for those who use it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from './control-plane.ts';
import { Kubelet } from './kubelet.ts';
import { Namespace } from './namespace.ts';

export class Cluster {
  readonly plane: ControlPlane;
  readonly kubelet: Kubelet;
  readonly #directory: string;
  #lastNumber = 0;

  private constructor(plane: ControlPlane, kubelet: Kubelet, directory: string) {
    this.plane = plane;
    this.kubelet = kubelet;
    this.#directory = directory;
  }

  static async start(): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
    const plane = await ControlPlane.start({ directory });
    return new Cluster(plane, await Kubelet.start(plane.api), directory);
  }

  /** A new one, in which pods can be created. */
  async namespace(): Promise<Namespace> {
    const name = `chat-${++this.#lastNumber}`;
    await this.plane.api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await this.plane.hasServiceAccount(name);
    return new Namespace(this.plane.api, name);
  }

  /** Resolves when none of its processes is left. */
  async remove(namespace: Namespace): Promise<void> {
    await namespace.remove();
    await this.kubelet.gone(namespace.name);
  }

  async stop(): Promise<void> {
    await this.kubelet.stop();
    await this.plane.stop();
    rmSync(this.#directory, { recursive: true });
  }
}
