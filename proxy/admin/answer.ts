/** Answers of the admin port: JSON, and errors as `{"error": "…", "message": "…"}` that say what to do. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Ends a request with this status. `error` is a stable word for programs, the message is for people and names no user. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** Does nothing when the client has gone or was answered. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  answerText(response, status, `${JSON.stringify(value)}\n`, { 'content-type': 'application/json', ...headers });
}

/** Does nothing when the client has gone or was answered. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed || response.headersSent) return;
  // Nothing on this port may be kept by a cache or be taken for a page.
  const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { ...always, 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

export function answerError(response: ServerResponse, { status, error, message, headers }: HttpError): void {
  answerJson(response, status, { error, message }, headers);
}

/** What is read beyond the bound and dropped, so that a sender of a little too much gets its answer and not a reset. */
const DROPPED_BYTES = 1024 * 1024;

/**
 * The whole body. Rejects with HttpError 413 for one of more than `maxBytes`, 415 for one that is compressed, 400 when the
 * client went away in the middle of it.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    return Promise.reject(
      new HttpError(415, 'unsupported-encoding', 'send the body as it is, without content-encoding'),
    );
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const tooLarge = () =>
      reject(new HttpError(413, 'too-large', `the body must not be longer than ${maxBytes} bytes`));
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) tooLarge();
    request.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else tooLarge();
      if (bytes > maxBytes + DROPPED_BYTES) request.destroy();
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => {}); // 'close' follows
    // It also follows a whole body, where an error with its stack would be made for nobody.
    request.on('close', () => {
      if (!request.complete) reject(new HttpError(400, 'cut-off', 'the body ended too early'));
    });
  });
}
