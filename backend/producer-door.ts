/**
 * The HTTP door for producers, as any Spring application could offer it:
 *
 *   POST /users/{user}/messages?destination=/queue/x     body: the payload
 *   200 {"status":"delivered","pod":…,"sessions":n}   the MESSAGE was handed to the WebSockets of n ≥ 1 sessions, in order
 *   404 {"status":"offline","pod":…}                  no session of the user on this pod is subscribed to /user/queue/x
 *
 * The same holdfast-id is delivered as often as it is posted: only the session in the proxy sees all pods, so only it
 * can take a repeated message out.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Message } from './broker.ts';
import { answerJson, HttpError, readBody } from './http.ts';
import { deliverToUser, type Pod } from './pod.ts';

const PATH = /^\/users\/([^/]+)\/messages$/;
const PASSED_ON = ['content-type', 'holdfast-id', 'holdfast-seq'];
/** Longer ids and destinations are mistakes; many of them would also fill the headers of a frame. */
const MAX_ID_LENGTH = 256;
const MAX_DESTINATION_LENGTH = 1024;

/** The user whom a path addresses, still encoded, or undefined when it is no path of this door. */
export function producerPath(path: string): string | undefined {
  return PATH.exec(path)?.[1];
}

/** Answers a POST. Throws an HttpError. */
export async function produce(
  pod: Pod,
  request: IncomingMessage,
  response: ServerResponse,
  encodedUser: string,
  query: URLSearchParams,
): Promise<void> {
  const user = decodeUser(encodedUser);
  const destination = destinationOf(query);
  const headers = headersOf(request);
  const body = await readBody(request, pod.settings.maxBodyBytes);
  pod.faults.later(() => answer(pod, response, deliverToUser(pod.broker, user, destination, body, headers)));
}

function answer(pod: Pod, response: ServerResponse, sessions: number): void {
  const { name } = pod.settings;
  if (sessions > 0) answerJson(response, 200, { status: 'delivered', pod: name, sessions });
  else answerJson(response, 404, { status: 'offline', pod: name });
}

function decodeUser(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HttpError(400, 'bad-user', 'The user in the path is not percent-encoded UTF-8.');
  }
}

function destinationOf(query: URLSearchParams): string {
  const destination = query.get('destination') ?? '';
  if (/^\/[^\p{Cc}]+$/u.test(destination) && destination.length <= MAX_DESTINATION_LENGTH) return destination;
  throw new HttpError(
    400,
    'bad-destination',
    `?destination= must be a path like /queue/x of at most ${MAX_DESTINATION_LENGTH} characters; the receiver subscribes to /user/queue/x.`,
  );
}

function headersOf(request: IncomingMessage): Message['headers'] {
  return PASSED_ON.flatMap((name) => {
    const values = request.headersDistinct[name] ?? [];
    const [value] = values;
    if (values.length > 1 || (value?.length ?? 0) > MAX_ID_LENGTH) {
      throw new HttpError(400, 'bad-header', `${name} may come once and have ${MAX_ID_LENGTH} characters.`);
    }
    return value === undefined ? [] : [[name, value] as const];
  });
}
