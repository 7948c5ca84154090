/** Requests to an API server as its administrator makes them: JSON in, JSON out, and watches as streams of events. */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

export interface KubeAccess {
  /** https://HOST:PORT */
  readonly url: string;
  /** The authorities to trust, PEM. */
  readonly caPem: string;
  readonly token: string;
}

/** An object of the API, of which only its name is known. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** RFC 3339 */
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

/** What the API server said instead of the answer that was wanted. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type PatchKind = 'merge' | 'strategic-merge' | 'apply';

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  'strategic-merge': 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** An API server that does not answer a request within this time is taken for gone. */
const ANSWER_MAX_MS = 10_000;

export class KubeApi {
  readonly #access: KubeAccess;
  readonly #agent: Agent;

  constructor(access: KubeAccess) {
    this.#access = access;
    this.#agent = new Agent({ keepAlive: true, ca: access.caPem });
  }

  /** Resolves when the server says that it is ready for everything. */
  async ready(): Promise<void> {
    await this.#text('GET', '/readyz');
  }

  get<T = KubeObject>(path: string): Promise<T> {
    return this.#ask('GET', path);
  }

  /** @param path of the collection */
  create<T = KubeObject>(path: string, object: unknown): Promise<T> {
    return this.#ask('POST', path, object);
  }

  patch<T = KubeObject>(path: string, patch: unknown, kind: PatchKind = 'merge'): Promise<T> {
    return this.#ask('PATCH', path, patch, PATCH_TYPES[kind]);
  }

  /** @param options DeleteOptions */
  async delete(path: string, options: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#ask('DELETE', path, options);
  }

  /**
   * Events of a collection from a version on, for as long as the server goes on and nobody aborts. Rejects when the connection
   * breaks; ends when the server ends it. An ERROR event is passed on: the version is too old, mostly.
   */
  async *watch<T>(path: string, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    const query = new URLSearchParams({ watch: '1', resourceVersion, allowWatchBookmarks: 'true' });
    const answer = await this.#send('GET', `${path}?${query}`, undefined, signal);
    if (answer.statusCode !== 200) throw await failureOf(answer);
    try {
      for await (const line of linesOf(answer)) yield JSON.parse(line) as WatchEvent<T>;
    } finally {
      answer.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask<T>(method: string, path: string, body?: unknown, type?: string): Promise<T> {
    return JSON.parse(await this.#text(method, path, body, type)) as T;
  }

  async #text(method: string, path: string, body?: unknown, type = 'application/json'): Promise<string> {
    const payload = body === undefined ? undefined : { text: JSON.stringify(body), type };
    const answer = await this.#send(method, path, payload, AbortSignal.timeout(ANSWER_MAX_MS));
    if ((answer.statusCode ?? 500) >= 300) throw await failureOf(answer);
    return textOf(answer);
  }

  #send(
    method: string,
    path: string,
    payload: { text: string; type: string } | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { url, token } = this.#access;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(payload === undefined
        ? {}
        : { 'content-type': payload.type, 'content-length': Buffer.byteLength(payload.text) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(url + path, { method, headers, agent: this.#agent, signal }, resolve);
      sent.on('error', reject);
      sent.end(payload?.text);
    });
  }
}

async function failureOf(answer: IncomingMessage): Promise<KubeError> {
  const text = await textOf(answer);
  return new KubeError(answer.statusCode ?? 0, messageIn(text) ?? text);
}

/** Errors of the API are objects of the kind Status. */
function messageIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

/** Rejects when the connection breaks, which readline would not. */
async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const part of answer) {
    const lines = (rest + (part as string)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const part of answer) text += part as string;
  return text;
}
