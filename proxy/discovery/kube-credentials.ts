/**
 * Where the API server is and how to prove who we are: everything that KubeConfig of @kubernetes/client-node knows (kubeconfig files,
 * contexts, in-cluster service accounts, tokens from files and from plugins, client certificates, proxies).
 *
 * The package is imported when it is first needed: it costs 80 MB and a quarter of a second, which nobody without Kubernetes should pay.
 */
import type { Agent, RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { codeOf, DiscoveryError, messageOf } from './discovery-error.ts';

export interface KubeConfigOptions {
  /** A file. Without it: $KUBECONFIG, ~/.kube/config, the service account of the pod; the first that is there. */
  readonly kubeconfig?: string;
  /** Instead of the kubeconfig's current-context. */
  readonly context?: string;
}

/** What one request needs. Certificates and tokens are as fresh as their files. */
export interface KubeConnection {
  /** `https://host:port` and maybe a path, without a slash at the end. */
  readonly server: string;
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  readonly headers: Record<string, string>;
  /** Only where the kubeconfig says that connections go through a proxy. */
  readonly proxyAgent: Agent | undefined;
}

export class KubeCredentials {
  readonly #options: KubeConfigOptions;
  #config: KubeConfig | undefined;
  #pending: Promise<KubeConnection> | undefined;

  constructor(options: KubeConfigOptions) {
    this.#options = options;
  }

  /** The next request reads the kubeconfig again and asks credential plugins again. */
  forget(): void {
    this.#config = undefined;
  }

  /**
   * Throws `DiscoveryError`. Callers who come while a credential plugin runs wait for the same run: each retry starting another one
   * would fill the machine with plugins that hang.
   */
  async connection(): Promise<KubeConnection> {
    this.#pending ??= this.#connect().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #connect(): Promise<KubeConnection> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    this.#config ??= this.#load(new KubeConfig());
    const cluster = this.#config.getCurrentCluster();
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw this.#wrong(`the credentials cannot be used: ${messageOf(error)}`);
    }
    const { ca, cert, key, servername, rejectUnauthorized, auth, headers, agent } = options;
    const server = (cluster?.server ?? '').replace(/\/+$/, '');
    if (!URL.canParse(server)) throw this.#wrong(`the server "${server}" is no URL; write https://HOST:PORT`);
    return {
      server,
      tls: definedOnly({ ca, cert, key, servername, rejectUnauthorized }),
      headers: { ...cleanHeaders(headers), ...(auth ? { Authorization: basic(auth) } : {}) },
      proxyAgent: cluster?.proxyUrl ? (agent as Agent) : undefined,
    };
  }

  #load(config: KubeConfig): KubeConfig {
    try {
      if (this.#options.kubeconfig === undefined) config.loadFromDefault();
      else config.loadFromFile(this.#options.kubeconfig);
    } catch (error) {
      throw this.#wrong(explainLoad(error));
    }
    if (isLastResort(config)) {
      throw this.#wrong(
        'there is none, and this is no pod with a service account; name a kubeconfig, or set KUBECONFIG',
      );
    }
    if (this.#options.context !== undefined) config.setCurrentContext(this.#options.context);
    const problem = problemOf(config);
    if (problem !== undefined) throw this.#wrong(problem);
    return config;
  }

  #wrong(problem: string): DiscoveryError {
    const file = this.#options.kubeconfig ?? process.env['KUBECONFIG'];
    return new DiscoveryError(`kubeconfig${file === undefined || file === '' ? '' : ` ${file}`}: ${problem}`);
  }
}

function explainLoad(error: unknown): string {
  if (codeOf(error) === 'ENOENT') return 'the file is not there; name the right one, or set KUBECONFIG';
  // An empty file, or a text that is no mapping, ends in a TypeError of the package.
  if (error instanceof TypeError) return 'it is no kubeconfig; compare it with the output of: kubectl config view';
  return messageOf(error);
}

function problemOf(config: KubeConfig): string | undefined {
  const name = config.getCurrentContext();
  const known = config.getContexts().map((context) => context.name);
  if (!name) return `it has no current-context; choose one with kubectl config use-context, from: ${list(known)}`;
  const context = config.getContextObject(name);
  if (context === null) return `it has no context "${name}"; it has: ${list(known)}`;
  if (config.getCurrentCluster() === null) {
    const clusters = config.getClusters().map((cluster) => cluster.name);
    return `context "${name}" names the cluster "${context.cluster}", which is not there; there are: ${list(clusters)}`;
  }
  if (config.getCurrentUser() === null) {
    const users = config.getUsers().map((user) => user.name);
    return `context "${name}" names the user "${context.user ?? ''}", which is not there; there are: ${list(users)}`;
  }
  return undefined;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

/** What loadFromDefault makes up when it finds nothing. */
function isLastResort(config: KubeConfig): boolean {
  return (
    config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.server === 'http://localhost:8080'
  );
}

function basic(auth: string): string {
  return `Basic ${Buffer.from(auth).toString('base64')}`;
}

/** Tokens from files come with the line feed that editors put at the end, which no header may contain. */
function cleanHeaders(headers: RequestOptions['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]));
}

function definedOnly<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
