/**
 * The producer's HTTP door: POST /v1/users/{user}/messages?destination=/queue/x[&ttl=ms], the body is the payload.
 *
 *   200 {"status":"delivered","pod":…,"id":…,"attempts":n}
 *   404 {"status":"offline","id":…,"attempts":n}
 *   504 {"status":"expired","id":…,"attempts":n,"reason":…}
 *
 * What becomes of a message does not depend on whether its sender waits for the answer: it may be in flight already.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Producer, ProducerError, type ProducerErrorCode, type Result } from '../../producer/index.ts';
import { answerJson, type Door, type Exchange, HttpError, readBody } from '../admin/index.ts';
import type { Metrics } from '../metrics.ts';

export interface MessageDoorOptions {
  /** Not closed with the door. */
  readonly producer: Producer;
  readonly metrics: Pick<Metrics, 'gatewayMessages' | 'gatewaySeconds' | 'gatewayInFlight'>;
  readonly maxBodyBytes: number;
  /** Messages that are being tried at a time. */
  readonly maxInFlight: number;
  /** Without it everybody who reaches the port may send. */
  readonly token?: string | undefined;
}

type Status = Parameters<Metrics['gatewayMessages']['of']>[0];

const STATUS_OF: Readonly<Record<Result['status'], number>> = { delivered: 200, offline: 404, expired: 504 };

/** How the errors of the library appear: [HTTP status, word for programs, what is counted]. */
const ERROR_OF: Readonly<Record<ProducerErrorCode, readonly [number, string, Status]>> = {
  'bad-message': [400, 'bad-request', 'bad'],
  'queue-full': [503, 'queue-full', 'busy'],
  refused: [502, 'refused', 'refused'],
  closed: [503, 'shutting-down', 'busy'],
};

/** When a bound is reached, a second later some of what is in flight has ended. */
const RETRY_AFTER = { 'retry-after': '1' };

export function createMessageDoor(options: MessageDoorOptions): Door {
  const door = new MessageDoor(options);
  const route: Door['routes'][number] = {
    method: 'POST',
    path: '/v1/users/{user}/messages',
    help: 'send the body to a user: ?destination=/queue/x[&ttl=ms]',
    handle: (exchange) => door.handle(exchange),
  };
  return { routes: [route], close: () => {} };
}

class MessageDoor {
  readonly #options: MessageDoorOptions;
  readonly #authorized: (request: IncomingMessage) => boolean;
  #inFlight = 0;

  constructor(options: MessageDoorOptions) {
    this.#options = options;
    this.#authorized = bearerCheck(options.token);
  }

  async handle(exchange: Exchange): Promise<void> {
    try {
      await this.#handle(exchange);
    } catch (error) {
      throw this.#counted(error);
    }
  }

  async #handle({ request, response, params, query }: Exchange): Promise<void> {
    if (!this.#authorized(request)) {
      const how = { 'www-authenticate': 'Bearer' };
      throw new HttpError(401, 'unauthorized', 'send Authorization: Bearer with the token of the gateway', how);
    }
    const { destination, ttlMs } = readQuery(query);
    const identity = readIdentity(request);
    this.#checkRoom();
    const body = await readBody(request, this.#options.maxBodyBytes);
    const result = await this.#send(() =>
      this.#options.producer.send(params['user'] ?? '', destination, body, { ...identity, ttlMs }),
    );
    this.#options.metrics.gatewayMessages.of(result.status).inc();
    answerJson(response, STATUS_OF[result.status], result);
  }

  async #send(send: () => Promise<Result>): Promise<Result> {
    this.#checkRoom();
    const { gatewayInFlight, gatewaySeconds } = this.#options.metrics;
    const startedAt = performance.now();
    gatewayInFlight.set(++this.#inFlight);
    try {
      return await send();
    } finally {
      gatewayInFlight.set(--this.#inFlight);
      gatewaySeconds.observe((performance.now() - startedAt) / 1000);
    }
  }

  #checkRoom(): void {
    if (this.#inFlight < this.#options.maxInFlight) return;
    throw new HttpError(
      503,
      'busy',
      `${this.#options.maxInFlight} messages are in flight; try again later`,
      RETRY_AFTER,
    );
  }

  #counted(error: unknown): unknown {
    const { gatewayMessages } = this.#options.metrics;
    if (error instanceof ProducerError) {
      const [status, word, counted] = ERROR_OF[error.code];
      gatewayMessages.of(counted).inc();
      return new HttpError(status, word, error.message, status === 503 ? RETRY_AFTER : {});
    }
    if (error instanceof HttpError) gatewayMessages.of(countedAs(error.status)).inc();
    return error;
  }
}

function countedAs(status: number): Status {
  if (status === 401) return 'denied';
  return status === 503 ? 'busy' : 'bad';
}

/** Compares digests, which have one length, in a time that does not depend on where they differ. */
function bearerCheck(token: string | undefined): (request: IncomingMessage) => boolean {
  if (token === undefined) return () => true;
  if (token === '') throw new RangeError('the token of the gateway must not be empty');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return ({ headers }) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

function readQuery(query: URLSearchParams): { destination: string; ttlMs: number | undefined } {
  for (const name of query.keys()) {
    if (name !== 'destination' && name !== 'ttl') throw bad('the query takes destination and ttl, nothing else');
    if (query.getAll(name).length > 1) throw bad(`${name} is given more than once`);
  }
  const destination = query.get('destination');
  if (destination === null) throw bad('?destination= is missing, for example ?destination=/queue/prices');
  const ttl = query.get('ttl');
  if (ttl !== null && !/^\d{1,9}$/.test(ttl)) throw bad('ttl must be a whole number of milliseconds');
  return { destination, ttlMs: ttl === null ? undefined : Number(ttl) };
}

function readIdentity(request: IncomingMessage) {
  return {
    id: single(request, 'holdfast-id'),
    seq: single(request, 'holdfast-seq'),
    contentType: single(request, 'content-type'),
  };
}

function single(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name] ?? [];
  if (values.length > 1) throw bad(`the header ${name} is given more than once`);
  return values[0];
}

function bad(message: string): HttpError {
  return new HttpError(400, 'bad-request', message);
}
