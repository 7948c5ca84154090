/** The plain HTTP side of the pod: the producer door, what an orchestrator asks, and two small REST resources. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerError, answerJson, HttpError, readBody } from './http.ts';
import type { Pod } from './pod.ts';
import { produce, producerPath } from './producer-door.ts';
import { userOf } from './user.ts';

export interface Counts {
  readonly sessions: number;
  readonly connections: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly handle: Handler;
}

/** The listener of the HTTP server. `counts` is asked at each GET /sessions. */
export function routes(pod: Pod, counts: () => Counts): (request: IncomingMessage, response: ServerResponse) => void {
  const fixed: Readonly<Record<string, Route>> = {
    '/healthz': { method: 'GET', handle: (_, response) => health(pod, response) },
    '/sessions': { method: 'GET', handle: (_, response) => sessions(pod, counts(), response) },
    '/whoami': { method: 'GET', handle: (request, response) => whoami(pod, request, response) },
    '/echo': { method: 'POST', handle: (request, response) => echo(pod, request, response) },
  };
  return (request, response) => {
    serve(pod, fixed, request, response).catch((error: unknown) => fail(pod, request, response, error));
  };
}

async function serve(
  pod: Pod,
  fixed: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const user = producerPath(path);
  const route: Route | undefined =
    user === undefined
      ? fixed[path]
      : { method: 'POST', handle: () => produce(pod, request, response, user, new URLSearchParams(query)) };
  if (route === undefined) throw new HttpError(404, 'not-found', 'This backend has no such resource.');
  if (request.method !== route.method) {
    throw new HttpError(405, 'method-not-allowed', `Use ${route.method}.`, { allow: route.method });
  }
  if (pod.phase === 'closing' && path !== '/healthz') {
    throw new HttpError(503, 'shutting-down', 'This pod is ending.', { connection: 'close' });
  }
  await route.handle(request, response);
}

function health(pod: Pod, response: ServerResponse): void {
  answerJson(response, pod.phase === 'serving' ? 200 : 503, { status: pod.phase, pod: pod.settings.name });
}

function sessions(pod: Pod, counts: Counts, response: ServerResponse): void {
  answerJson(response, 200, { pod: pod.settings.name, ...counts });
}

function whoami(pod: Pod, request: IncomingMessage, response: ServerResponse): void {
  const { name: user, ambiguous } = userOf(request, pod.settings.userHeaders);
  if (ambiguous) throw new HttpError(400, 'bad-user', 'The header that names the user came more than once.');
  answerJson(response, 200, { pod: pod.settings.name, user: user ?? null });
}

async function echo(pod: Pod, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request, pod.settings.maxBodyBytes);
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
  response.end(body);
}

function fail(pod: Pod, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (request.destroyed && !request.complete) return;
  if (error instanceof HttpError) return answerError(response, error);
  pod.settings.log.error({ error: String(error) }, 'request failed');
  answerError(response, new HttpError(500, 'internal', 'This is a fault of the backend; its log says more.'));
}
