/** The part of discovery.k8s.io/v1 EndpointSlice that is used, read from untrusted JSON. */

export interface SlicePort {
  /** '' when the port has no name. */
  readonly name: string;
  /** Undefined means "all ports" in the API: there is no number to dial. */
  readonly port: number | undefined;
  readonly protocol: string;
}

export interface SliceEndpoint {
  /** All of them reach the same pod; the API tells consumers to use the first. */
  readonly address: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly podUid: string | undefined;
  readonly podName: string | undefined;
}

export interface EndpointSlice {
  readonly name: string;
  readonly uid: string;
  /** Opaque: only equality means anything. */
  readonly resourceVersion: string;
  readonly addressType: string;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** An answer of the API server that is not what the API promises. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** Throws `MalformedAnswer`. */
export function readSlice(value: unknown): EndpointSlice {
  const slice = record(value, 'an EndpointSlice');
  const metadata = record(slice['metadata'], 'metadata');
  return {
    name: text(metadata['name'], 'metadata.name'),
    uid: optionalText(metadata['uid'], 'metadata.uid') ?? '',
    resourceVersion: text(metadata['resourceVersion'], 'metadata.resourceVersion'),
    addressType: text(slice['addressType'], 'addressType'),
    ports: list(slice['ports'], 'ports').map(readPort),
    endpoints: list(slice['endpoints'], 'endpoints').map(readEndpoint),
  };
}

function readPort(value: unknown): SlicePort {
  const port = record(value, 'ports[]');
  const number = port['port'] ?? undefined;
  if (number !== undefined && !Number.isInteger(number)) throw new MalformedAnswer('ports[].port is not an integer');
  return {
    name: optionalText(port['name'], 'ports[].name') ?? '',
    port: number as number | undefined,
    protocol: optionalText(port['protocol'], 'ports[].protocol') ?? 'TCP',
  };
}

/** Conditions that are absent: ready means true, serving means the same as ready, terminating means false (API reference). */
function readEndpoint(value: unknown): SliceEndpoint {
  const endpoint = record(value, 'endpoints[]');
  const conditions = record(endpoint['conditions'] ?? {}, 'endpoints[].conditions');
  const target = record(endpoint['targetRef'] ?? {}, 'endpoints[].targetRef');
  const ready = flag(conditions['ready'], 'ready') ?? true;
  const address = list(endpoint['addresses'], 'endpoints[].addresses')[0];
  return {
    address: optionalText(address, 'endpoints[].addresses[]'),
    ready,
    serving: flag(conditions['serving'], 'serving') ?? ready,
    terminating: flag(conditions['terminating'], 'terminating') ?? false,
    podUid: optionalText(target['uid'], 'endpoints[].targetRef.uid') || undefined,
    podName: optionalText(target['name'], 'endpoints[].targetRef.name') || undefined,
  };
}

export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new MalformedAnswer(`${what} is not an object`);
}

/** A list that is absent or null is empty: Go servers write both. */
export function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new MalformedAnswer(`${what} is not a list`);
}

export function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new MalformedAnswer(`${what} is not a text`);
}

export function optionalText(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new MalformedAnswer(`${what} is not a text`);
}

function flag(value: unknown, what: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw new MalformedAnswer(`conditions.${what} is not true or false`);
}
