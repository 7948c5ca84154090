/** SockJS over HTTP by hand: each request as the test says it. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { encode, type HeaderInit } from '../../stomp/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export const ALICE = { username: 'alice' };

/** One request and its whole answer. */
export async function ask(url: string, { method = 'POST', headers = ALICE, body }: Asking = {}): Promise<Answer> {
  const response = await open(url, { method, headers: { ...headers } }, body);
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

async function open(url: string, options: RequestOptions, body: string | Buffer = ''): Promise<IncomingMessage> {
  const asked = request(url, options);
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

/** A response that is read in frames while it goes on. */
export class Stream {
  readonly response: IncomingMessage;
  readonly ended: Promise<void>;
  readonly #end: string;
  #text = '';
  #wake = () => {};
  #isEnded = false;

  private constructor(response: IncomingMessage, end: string) {
    this.response = response;
    this.#end = end;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      this.#text += chunk;
      this.#wake();
    });
    response.on('error', () => {});
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        this.#isEnded = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** @param end what ends a frame */
  static async open(url: string, { method = 'POST', headers = ALICE }: Asking = {}, end = '\n'): Promise<Stream> {
    const response = await open(url, { method, headers: { ...headers } });
    onTestFinished(() => void response.destroy());
    return new Stream(response, end);
  }

  /** The next frame, without its end; undefined when the response has ended. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const at = this.#text.indexOf(this.#end);
      if (at >= 0) {
        const frame = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + this.#end.length);
        return frame;
      }
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** As a client does that goes away. */
  abort(): void {
    this.response.destroy();
  }
}

/** A STOMP frame as the only string of an array. */
export function sent(command: string, headers: HeaderInit = {}, body?: string): string {
  return JSON.stringify([new TextDecoder().decode(encode(command, headers, body))]);
}

/** The texts of an array frame. */
export function textsOf(frame: string | undefined): string[] {
  if (!frame?.startsWith('a')) throw new Error(`expected an array frame, got ${frame}`);
  return JSON.parse(frame.slice(1)) as string[];
}

let lastSession = 0;

/**
 * The URL of a session that no other test has. When the test has ended somebody asks for what is left, or the proxy would wait
 * for its client.
 */
export function newSession(base: string): string {
  const url = `${base}/000/session-${++lastSession}`;
  onTestFinished(() => {
    void readToEnd(url);
  });
  return url;
}

async function readToEnd(url: string): Promise<void> {
  let last = '';
  while (!last.startsWith('c')) {
    const answer = await ask(`${url}/xhr`).catch(() => undefined);
    if (answer?.status !== 200) return;
    last = answer.body;
  }
}
