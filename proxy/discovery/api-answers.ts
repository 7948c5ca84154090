/** Reads what the API server answers: a page of a list, a line of a watch, an error. Pure. */
import { list, MalformedAnswer, optionalText, readSlice, record, text } from './endpoint-slice.ts';
import type { Failure } from './failure.ts';
import type { ListPage, WatchEvent } from './list-watch-events.ts';
import type { ServiceTarget } from './service-target.ts';

/** Throws `MalformedAnswer`, or `SyntaxError` for bytes that are no JSON. */
export function readPage(bytes: Uint8Array): ListPage {
  const body = record(parseJson(bytes), 'the list');
  if (body['kind'] !== 'EndpointSliceList') throw new MalformedAnswer('it is no EndpointSliceList');
  const metadata = record(body['metadata'], 'metadata of the list');
  return {
    slices: list(body['items'], 'items').map(readSlice),
    resourceVersion: text(metadata['resourceVersion'], 'metadata.resourceVersion of the list'),
    continueToken: optionalText(metadata['continue'], 'metadata.continue') || undefined,
  };
}

/** One line of a watch: an event, or the failure that an ERROR event tells. Throws like `readPage`. */
export function readWatchLine(line: Uint8Array, target: ServiceTarget): WatchEvent | Failure {
  const event = record(parseJson(line), 'the event');
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', slice: readSlice(event['object']) };
    case 'DELETED':
      return { type: 'remove', slice: readSlice(event['object']) };
    case 'BOOKMARK': {
      const metadata = record(record(event['object'], 'the bookmark')['metadata'], 'metadata of the bookmark');
      return { type: 'bookmark', resourceVersion: text(metadata['resourceVersion'], 'metadata.resourceVersion') };
    }
    case 'ERROR':
      return failureOfStatus(event['object'], target);
    default:
      throw new MalformedAnswer(`the event type ${JSON.stringify(event['type'])} is unknown`);
  }
}

/** The failure in an answer with an error status. The body may be a Status object, or what a load balancer says. */
export function failureOfAnswer(
  head: { readonly status: number; readonly retryAfterMs: number | undefined },
  body: Uint8Array,
  target: ServiceTarget,
): Failure {
  let status: unknown;
  try {
    status = parseJson(body);
  } catch {
    status = undefined;
  }
  const failure = failureOfStatus({ ...(isRecord(status) ? status : {}), code: head.status }, target);
  return head.retryAfterMs === undefined ? failure : { ...failure, retryAfterMs: head.retryAfterMs };
}

/** `Retry-After` in seconds, as API servers write it; the form with a date is not used by them. */
export function readRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : undefined;
}

function failureOfStatus(value: unknown, target: ServiceTarget): Failure {
  const status = isRecord(value) ? value : {};
  const details = isRecord(status['details']) ? status['details'] : {};
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  const retryAfter = details['retryAfterSeconds'];
  const versionTooLarge = code === 504 && hasCause(details['causes'], 'ResourceVersionTooLarge');
  return {
    kind: 'http',
    status: code,
    message: explain(code, versionTooLarge, typeof status['message'] === 'string' ? status['message'] : '', target),
    ...(typeof retryAfter === 'number' && retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
    ...(versionTooLarge ? { versionTooLarge } : {}),
  };
}

function hasCause(causes: unknown, reason: string): boolean {
  return Array.isArray(causes) && causes.some((cause) => isRecord(cause) && cause['reason'] === reason);
}

/** Texts of the server are only passed on where they do not change from one failure to the next, see `ProblemLog`. */
function explain(code: number, versionTooLarge: boolean, message: string, { namespace }: ServiceTarget): string {
  const said = message === '' ? '' : `; it says: ${message.slice(0, 300)}`;
  if (versionTooLarge) return 'this replica of the Kubernetes API is behind the one asked before (504); waiting for it';
  switch (code) {
    case 401:
      return 'the Kubernetes API does not accept the credentials (401): renew the token or certificate of the kubeconfig, or check the ServiceAccount of this pod';
    case 403:
      return `no permission to follow EndpointSlices (403): bind a Role in namespace ${namespace} with apiGroups ["discovery.k8s.io"], resources ["endpointslices"], verbs ["list", "watch"]; one that has just started says this too, until it has read its Roles${said}`;
    case 404:
      return `the Kubernetes API does not know discovery.k8s.io/v1 (404): it needs Kubernetes 1.21 or newer, and the server of the kubeconfig must be an API server${said}`;
    case 410:
      return 'the version to go on from is too old (410): listing anew';
    default:
      return `the Kubernetes API answered ${code}${said}`;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
