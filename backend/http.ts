/** Small tools for the plain HTTP side: bounded bodies in, JSON out, errors that say what to do. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers a request with a status and `{"error", "message"}`. */
export class HttpError extends Error {
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(value)}\n`);
}

export function answerError(response: ServerResponse, { status, error, message, headers }: HttpError): void {
  answerJson(response, status, { error, message }, headers);
}

/** The whole body. Rejects with a 413 for one of more than `maxBytes`, a 415 for one that is compressed. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new HttpError(
      415,
      'unsupported-encoding',
      `content-encoding ${encoding} is not read: send the body as it is.`,
    );
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
      // What is too much is read and dropped: a connection cut with octets unread would take the answer along.
      if (bytes <= maxBytes) chunks.push(chunk);
      else
        reject(new HttpError(413, 'too-large', `The body may have ${maxBytes} bytes: send larger payloads in parts.`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
