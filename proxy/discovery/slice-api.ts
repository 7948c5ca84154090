/** Lists and watches the EndpointSlices of one Service: requests in, events of the list-watch machine out. */
import { failureOfAnswer, readPage, readWatchLine } from './api-answers.ts';
import { messageOf } from './discovery-error.ts';
import type { Failure } from './failure.ts';
import type { AnswerHandlers, AnswerHead, KubeClient } from './kube-client.ts';
import { LineSplitter } from './line-splitter.ts';
import type { ListRequest, ListWatchEvent, WatchRequest } from './list-watch-events.ts';
import type { ServiceTarget } from './service-target.ts';

/** etcd takes 1.5 MiB of protobuf an object; as JSON a slice of 1000 endpoints, the most there can be, has about 0.5 MiB. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** A page of 500 slices with 100 endpoints each, the usual most, has about 20 MiB. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** An error is a Status object of some hundred bytes, or a page of a load balancer. */
const MAX_ERROR_BYTES = 64 * 1024;

type Emit = (event: ListWatchEvent) => void;

export class SliceApi {
  readonly #client: KubeClient;
  readonly #target: ServiceTarget;
  readonly #emit: Emit;

  constructor(client: KubeClient, target: ServiceTarget, emit: Emit) {
    this.#client = client;
    this.#target = target;
    this.#emit = emit;
  }

  /** Returns what gives the request up. */
  list({ generation, refresh, limit, continueToken }: ListRequest): () => void {
    const path = this.#path({ limit: limit?.toString(), continue: continueToken });
    return this.#client.get(path, refresh, this.#handlers(generation, new PageReader(generation, this.#emit)));
  }

  watch({ generation, refresh, resourceVersion, timeoutSeconds }: WatchRequest): () => void {
    const path = this.#path({
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: timeoutSeconds.toString(),
      resourceVersion,
    });
    return this.#client.get(
      path,
      refresh,
      this.#handlers(generation, new WatchReader(generation, this.#target, this.#emit)),
    );
  }

  #path(query: Record<string, string | undefined>): string {
    const search = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${this.#target.service}` });
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value);
    return `/apis/discovery.k8s.io/v1/namespaces/${this.#target.namespace}/endpointslices?${search}`;
  }

  /** Sends a good answer to its reader and any other to the reader of errors. */
  #handlers(generation: number, good: Reader): AnswerHandlers {
    let reader = good;
    return {
      head: (head) => {
        if (head.status !== 200) reader = new ErrorReader(generation, head, this.#target, this.#emit);
        reader.head();
      },
      data: (chunk) => reader.data(chunk),
      end: () => reader.end(),
      failed: (failure) => this.#emit({ on: 'failed', generation, failure }),
    };
  }
}

interface Reader {
  head(): void;
  data(chunk: Uint8Array): void;
  end(): void;
}

class PageReader implements Reader {
  readonly #generation: number;
  readonly #emit: Emit;
  readonly #body = new BoundedBody(MAX_PAGE_BYTES);

  constructor(generation: number, emit: Emit) {
    this.#generation = generation;
    this.#emit = emit;
  }

  head(): void {}

  data(chunk: Uint8Array): void {
    if (!this.#body.push(chunk)) this.#failed(`the list is larger than ${MAX_PAGE_BYTES} bytes`);
  }

  end(): void {
    try {
      this.#emit({ on: 'page', generation: this.#generation, page: readPage(this.#body.bytes) });
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  #failed(reason: string): void {
    this.#emit({ on: 'failed', generation: this.#generation, failure: malformed('list', reason) });
  }
}

class WatchReader implements Reader {
  readonly #generation: number;
  readonly #target: ServiceTarget;
  readonly #emit: Emit;
  readonly #lines = new LineSplitter(MAX_LINE_BYTES);
  #over = false;

  constructor(generation: number, target: ServiceTarget, emit: Emit) {
    this.#generation = generation;
    this.#target = target;
    this.#emit = emit;
  }

  head(): void {
    this.#emit({ on: 'opened', generation: this.#generation });
  }

  data(chunk: Uint8Array): void {
    if (this.#over) return;
    const lines = this.#lines.push(chunk);
    if (lines === 'tooLong') return this.#failed(malformed('watch', `a line is longer than ${MAX_LINE_BYTES} bytes`));
    for (const line of lines) {
      if (!this.#over && line.length > 0) this.#line(line);
    }
  }

  end(): void {
    if (this.#over) return;
    if (this.#lines.pendingBytes > 0) this.#failed(malformed('watch', 'it ended within a line'));
    else this.#emit({ on: 'ended', generation: this.#generation });
  }

  #line(line: Uint8Array): void {
    try {
      const read = readWatchLine(line, this.#target);
      if ('kind' in read) this.#failed(read);
      else this.#emit({ on: 'event', generation: this.#generation, event: read });
    } catch (error) {
      this.#failed(malformed('watch', messageOf(error)));
    }
  }

  #failed(failure: Failure): void {
    this.#over = true;
    this.#emit({ on: 'failed', generation: this.#generation, failure });
  }
}

class ErrorReader implements Reader {
  readonly #generation: number;
  readonly #head: AnswerHead;
  readonly #target: ServiceTarget;
  readonly #emit: Emit;
  readonly #body = new BoundedBody(MAX_ERROR_BYTES);

  constructor(generation: number, head: AnswerHead, target: ServiceTarget, emit: Emit) {
    this.#generation = generation;
    this.#head = head;
    this.#target = target;
    this.#emit = emit;
  }

  head(): void {}

  data(chunk: Uint8Array): void {
    // A longer body is not waited for: its status has said enough.
    if (!this.#body.push(chunk)) this.end();
  }

  end(): void {
    const failure = failureOfAnswer(this.#head, this.#body.bytes, this.#target);
    this.#emit({ on: 'failed', generation: this.#generation, failure });
  }
}

class BoundedBody {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False, and empty from then on, when there is too much. */
  push(chunk: Uint8Array): boolean {
    this.#length += chunk.length;
    if (this.#length <= this.#maxBytes) this.#chunks.push(chunk);
    else this.#chunks = [];
    return this.#length <= this.#maxBytes;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

function malformed(what: 'list' | 'watch', reason: string): Failure {
  return { kind: 'malformed', message: `the Kubernetes API sent a ${what} that cannot be read: ${reason}` };
}
