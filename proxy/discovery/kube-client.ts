/** GET requests to the API server: one after the other on one kept-alive connection. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { readRetryAfter } from './api-answers.ts';
import { codeOf, messageOf } from './discovery-error.ts';
import type { Failure } from './failure.ts';
import { type KubeConfigOptions, type KubeConnection, KubeCredentials } from './kube-credentials.ts';

export interface AnswerHead {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
}

/** First `head`, then any number of `data`, then `end`; or `failed` at any time instead. Never called before `get` returns. */
export interface AnswerHandlers {
  head(head: AnswerHead): void;
  data(chunk: Uint8Array): void;
  end(): void;
  failed(failure: Failure): void;
}

export interface KubeClient {
  /**
   * @param path with its query
   * @param refresh read credentials and certificates again first
   * @returns gives the request up: no handler is called after that
   */
  get(path: string, refresh: boolean, handlers: AnswerHandlers): () => void;
  close(): void;
}

/** Two: a request that was given up may still hold its socket while the next one dials. */
const MAX_SOCKETS = 2;
const TLS_CODES = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/;

export function createKubeClient(options: KubeConfigOptions): KubeClient {
  return new HttpsKubeClient(new KubeCredentials(options));
}

class HttpsKubeClient implements KubeClient {
  readonly #credentials: KubeCredentials;
  #agent: { readonly of: string; readonly agent: http.Agent } | undefined;

  constructor(credentials: KubeCredentials) {
    this.#credentials = credentials;
  }

  get(path: string, refresh: boolean, handlers: AnswerHandlers): () => void {
    if (refresh) this.#credentials.forget();
    const call = new Call(handlers);
    this.#credentials.connection().then(
      (connection) => call.begin(() => this.#request(connection, path), connection.server),
      (error: unknown) => call.fail({ kind: 'credentials', message: messageOf(error) }),
    );
    return () => call.giveUp();
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  #request(connection: KubeConnection, path: string): http.ClientRequest {
    const secure = connection.server.startsWith('https:');
    return (secure ? https : http).get(connection.server + path, {
      agent: connection.proxyAgent ?? this.#agentFor(connection, secure),
      headers: { ...connection.headers, Accept: 'application/json', 'User-Agent': 'holdfast' },
    });
  }

  /** A new agent only when certificates were rotated: an agent holds on to those it was made with. */
  #agentFor({ server, tls }: KubeConnection, secure: boolean): http.Agent {
    const of = createHash('sha256')
      .update(JSON.stringify([server, tls]))
      .digest('base64');
    if (this.#agent?.of === of) return this.#agent.agent;
    this.close();
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 1 };
    const agent = secure ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
    this.#agent = { of, agent };
    return agent;
  }
}

/** One request: turns what Node tells in many ways into one of the four handlers, each after the other and none after the end. */
class Call {
  readonly #handlers: AnswerHandlers;
  #request: http.ClientRequest | undefined;
  #over = false;

  constructor(handlers: AnswerHandlers) {
    this.#handlers = handlers;
  }

  begin(send: () => http.ClientRequest, server: string): void {
    if (this.#over) return;
    try {
      this.#request = send();
    } catch (error) {
      return this.fail({
        kind: 'credentials',
        message: `the request to ${server} cannot be made: ${messageOf(error)}`,
      });
    }
    this.#request.on('error', (error) => this.fail(failureOf(error, server)));
    this.#request.on('response', (response) => this.#answered(response, server));
  }

  giveUp(): void {
    if (this.#over) return;
    this.#over = true;
    this.#request?.destroy();
  }

  fail(failure: Failure): void {
    if (this.#over) return;
    this.giveUp();
    this.#handlers.failed(failure);
  }

  #answered(response: http.IncomingMessage, server: string): void {
    if (this.#over) return;
    this.#handlers.head({
      status: response.statusCode ?? 0,
      retryAfterMs: readRetryAfter(response.headers['retry-after']),
    });
    response.on('data', (chunk: Uint8Array) => {
      if (!this.#over) this.#handlers.data(chunk);
    });
    response.on('end', () => this.#end());
    response.on('error', (error) => this.fail(failureOf(error, server)));
    response.on('close', () => this.fail(brokenConnection(server)));
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.end();
  }
}

function failureOf(error: unknown, server: string): Failure {
  const code = codeOf(error) ?? '';
  if (TLS_CODES.test(code)) {
    return {
      kind: 'tls',
      message: `the Kubernetes API at ${server} cannot be trusted: ${messageOf(error)} (${code}); check the certificate authority of the kubeconfig`,
    };
  }
  if (code === 'ECONNRESET') return brokenConnection(server);
  const hint = code === 'ECONNREFUSED' || code === 'ENOTFOUND' ? '; check the server of the kubeconfig' : '';
  return { kind: 'network', message: `cannot reach the Kubernetes API at ${server}: ${messageOf(error)}${hint}` };
}

function brokenConnection(server: string): Failure {
  return { kind: 'network', message: `the connection to the Kubernetes API at ${server} broke` };
}
