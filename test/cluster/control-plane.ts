/**
 * A real Kubernetes control plane without containers: etcd, kube-apiserver and controllers of kube-controller-manager as they are
 * released, built into one program (control-plane/) and run as three processes on loopback. There is no kubelet and no scheduler: objects
 * are validated, stored, watched and controlled, but pods stay Pending until somebody plays the node (kubelet.ts).
 */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigText } from '../discovery/fake-api/index.ts';
import { type Child, foreignProgram } from '../experiment/child.ts';
import { sleep } from '../experiment/clock.ts';
import { type Credentials, credentialsIn } from './credentials.ts';
import { freePort } from './free-port.ts';
import { goProgram } from './go-program.ts';
import { type KubeAccess, KubeApi } from './kube-api.ts';

/** From an empty folder to a server that answers: seconds on an idle core, and there may be none. */
const READY_MAX_MS = 180_000;
const POLL_MS = 100;
/** A program that was asked to end is killed after this time. */
const END_MAX_MS = 5_000;

/** Builds it if need be, which takes five minutes on two idle cores, once. @returns its path */
export function controlPlaneProgram(): Promise<string> {
  return goProgram('test/cluster/control-plane', 'control-plane');
}

export interface ControlPlaneOptions {
  /** Everything is kept here; a folder that was used before is gone on with. */
  readonly directory: string;
  /** More flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

export class ControlPlane {
  /** Of the administrator. */
  readonly access: KubeAccess;
  readonly api: KubeApi;
  /** The path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly #programs: Programs;

  private constructor(access: KubeAccess, kubeconfig: string, programs: Programs) {
    this.access = access;
    this.api = new KubeApi(access);
    this.kubeconfig = kubeconfig;
    this.#programs = programs;
  }

  /** Builds the program first if need be, which takes five minutes on two idle cores, once. Resolves when pods can be created in `default`. */
  static async start({ directory, apiServerFlags = [] }: ControlPlaneOptions): Promise<ControlPlane> {
    mkdirSync(directory, { recursive: true });
    const program = await controlPlaneProgram();
    const ports = { etcd: await freePort(), api: await freePort() };
    const programs = new Programs({
      program,
      directory,
      ports,
      credentials: await credentialsIn(directory),
      apiServerFlags,
    });
    try {
      const access = await programs.startServers();
      const kubeconfig = join(directory, 'admin.kubeconfig');
      writeFileSync(kubeconfig, kubeconfigText({ ...access, server: access.url }), { mode: 0o600 });
      programs.startControllers(kubeconfig);
      const plane = new ControlPlane(access, kubeconfig, programs);
      await plane.hasServiceAccount('default');
      return plane;
    } catch (error) {
      await programs.stop();
      throw error;
    }
  }

  /** https://127.0.0.1:PORT */
  get url(): string {
    return this.access.url;
  }

  /** Resolves when pods can be created in this namespace. */
  async hasServiceAccount(namespace: string): Promise<void> {
    await this.#programs.eventually(`the service account of ${namespace}`, () =>
      this.api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
    );
  }

  /** Only the API server ends; etcd and the controllers stay, as they do when it is updated. */
  stopApiServer(): Promise<void> {
    return this.#programs.stopApiServer();
  }

  /** Resolves when it answers again, at the same address. */
  async startApiServer(): Promise<void> {
    await this.#programs.startApiServer();
  }

  /** The processes, for figures. */
  get pids(): readonly number[] {
    return this.#programs.pids;
  }

  async stop(): Promise<void> {
    this.api.close();
    await this.#programs.stop();
  }
}

interface Plan {
  readonly program: string;
  readonly directory: string;
  readonly ports: { readonly etcd: number; readonly api: number };
  readonly credentials: Credentials;
  readonly apiServerFlags: readonly string[];
}

/** The three processes, in the order in which they need each other. */
class Programs {
  readonly #plan: Plan;
  #etcd: Child | undefined;
  #apiServer: Child | undefined;
  #controllers: Child | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get pids(): number[] {
    return this.#all.map(({ pid }) => pid);
  }

  async startServers(): Promise<KubeAccess> {
    this.#etcd = this.#start('etcd', etcdFlags(this.#plan));
    return this.startApiServer();
  }

  async startApiServer(): Promise<KubeAccess> {
    this.#apiServer = this.#start('kube-apiserver', apiServerFlags(this.#plan));
    return this.eventually('the API server', async () => {
      const access = await this.#access();
      const api = new KubeApi(access);
      await api.ready().finally(() => api.close());
      return access;
    });
  }

  startControllers(kubeconfig: string): void {
    this.#controllers = this.#start('controllers', controllerFlags(this.#plan, kubeconfig));
  }

  async stopApiServer(): Promise<void> {
    // Asked to end, it would wait for its watches, for up to a minute.
    await this.#apiServer?.kill();
  }

  async stop(): Promise<void> {
    if (this.#controllers !== undefined) await end(this.#controllers);
    if (this.#apiServer?.running) await this.stopApiServer();
    if (this.#etcd !== undefined) await end(this.#etcd);
  }

  /** Resolves with what `attempt` gives once it does not reject. Rejects when a program has ended, or after READY_MAX_MS. */
  async eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    for (let leftMs = READY_MAX_MS; ; leftMs -= POLL_MS) {
      try {
        return await attempt();
      } catch (error) {
        const dead = this.#all.find(({ running }) => !running);
        if (dead !== undefined) throw new Error(`${dead.name} has ended:\n${dead.lastLines}`);
        if (leftMs <= 0) throw new Error(`${what} is not there after ${READY_MAX_MS} ms`, { cause: error });
        await sleep(POLL_MS);
      }
    }
  }

  get #all(): Child[] {
    return [this.#etcd, this.#apiServer, this.#controllers].filter((child) => child !== undefined);
  }

  /** The API server has signed its certificate itself. */
  async #access(): Promise<KubeAccess> {
    const { directory, ports, credentials } = this.#plan;
    const caPem = await readFile(certificateIn(directory), 'utf8');
    return { url: `https://127.0.0.1:${ports.api}`, caPem, token: credentials.token };
  }

  #start(name: string, flags: readonly string[]): Child {
    const { program, directory } = this.#plan;
    const child = foreignProgram(name, program, [name, ...flags]);
    const log = createWriteStream(join(directory, `${name}.log`), { flags: 'a' });
    child.onLine((line) => log.write(`${line}\n`));
    void child.exited.then(() => log.end());
    return child;
  }
}

async function end(child: Child): Promise<void> {
  if (!child.running) return;
  child.signal('SIGTERM');
  const timer = setTimeout(() => child.signal('SIGKILL'), END_MAX_MS);
  await child.exited.finally(() => clearTimeout(timer));
}

function certificateIn(directory: string): string {
  return join(directory, 'certificates', 'apiserver.crt');
}

function etcdFlags({ directory, ports }: Plan): string[] {
  const url = `http://127.0.0.1:${ports.etcd}`;
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    ...[`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`, '--listen-peer-urls=http://127.0.0.1:0'],
    // What a machine that loses its power would lose is nobody's here.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags({ directory, ports, credentials, apiServerFlags: more }: Plan): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${ports.api}`],
    `--cert-dir=${join(directory, 'certificates')}`,
    `--token-auth-file=${credentials.tokensFile}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${credentials.signingKeyFile}`,
    `--service-account-key-file=${credentials.verifyingKeyFile}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // It would publish its own address as that of the Service `kubernetes`, and loopback is none that may be published.
    '--endpoint-reconciler-type=none',
    '--profiling=false',
    ...more,
  ];
}

function controllerFlags({ directory }: Plan, kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, `--root-ca-file=${certificateIn(directory)}`];
}
