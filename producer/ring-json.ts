/**
 * The rings as `GET /v1/ring` of a proxy tells them:
 *
 *   {"version": "…", "size": 16384, "keyKind": "name", "pods": [{"name": "pod-1", "address": "10.0.0.1:8080"}, …],
 *    "target": {"version": "…", "size": 16384, "pods": […]}}
 *
 * `pods` are those of the committed ring. `target` is the ring that sessions are being moved to; at rest it is the same.
 * The sizes differ while the number of pods does: each pod has the same number of points. `version` lets a reader prove that it computes the very same ring: it builds the
 * ring itself and compares. An address that the proxy does not know (any more) is null.
 */
import { type KeyKind, MAX_RING_SIZE, Ring } from '../ring/index.ts';
import { keyOf, type RingSnapshot } from './ring-source.ts';
import type { PodAddress } from './transport.ts';

export interface PodJson {
  readonly name: string;
  readonly address: string | null;
}

export interface RingJson {
  readonly version: string;
  readonly size: number;
  readonly keyKind: KeyKind;
  readonly pods: readonly PodJson[];
  readonly target: { readonly version: string; readonly size: number; readonly pods: readonly PodJson[] };
}

/** Twice as many as the largest ring has with the default number of points for each. */
export const MAX_PODS = 4096;

/** The JSON was not what a proxy of this version writes, or names another ring than this library builds. */
export class RingJsonError extends Error {
  override readonly name = 'RingJsonError';
}

export function writeRing(snapshot: RingSnapshot): RingJson {
  const { committed, target } = snapshot;
  return {
    version: committed.version,
    size: committed.size,
    keyKind: committed.keyKind,
    pods: podsOf(committed, snapshot),
    target: { version: target.version, size: target.size, pods: podsOf(target, snapshot) },
  };
}

function podsOf(ring: Ring, snapshot: RingSnapshot): PodJson[] {
  return ring.keys.map((key) => {
    const { name, address } = snapshot.podOf(key) ?? { name: key, address: ring.keyKind === 'address' ? key : null };
    return { name, address };
  });
}

/**
 * Builds the rings of the JSON text and proves that they are the ones meant. Throws RingJsonError.
 * @param before what was read before: most pods of it are there still, and need not be placed anew
 */
export function readRing(text: string, before?: RingSnapshot): RingSnapshot {
  const json = asObject(parse(text), 'the answer');
  const keyKind = readKeyKind(json['keyKind']);
  const byKey = new Map<string, PodAddress>();
  const committed = build(json, 'the committed ring', keyKind, byKey, before?.target);
  const target = build(asObject(json['target'], 'target'), 'the target ring', keyKind, byKey, committed);
  return {
    committed,
    target: target.version === committed.version ? committed : target,
    podOf: (key) => byKey.get(key),
  };
}

function build(
  part: Record<string, unknown>,
  name: string,
  keyKind: KeyKind,
  byKey: Map<string, PodAddress>,
  like: Ring | undefined,
): Ring {
  const size = readSize(part['size'], name);
  const keys = readPods(part['pods'], name).map((pod) => remember(pod, keyKind, byKey));
  const ring = Ring.of(keys, { size, keyKind }, like);
  if (ring.version === part['version']) return ring;
  throw new RingJsonError(
    `${name}: the proxy says version ${JSON.stringify(part['version'])}, but ${keys.length} pods, size ${size} and key kind ` +
      `${keyKind} give ${ring.version} here; producer library and proxy must be of versions that share the ring`,
  );
}

function remember(pod: PodJson, keyKind: KeyKind, byKey: Map<string, PodAddress>): string {
  const { name, address } = pod;
  if (address !== null) byKey.set(keyOf({ name, address }, keyKind), { name, address });
  else if (keyKind === 'address') throw new RingJsonError(`pod ${name} has no address, but addresses are the keys`);
  return keyKind === 'name' ? name : (address ?? name);
}

function readPods(value: unknown, name: string): PodJson[] {
  if (!Array.isArray(value)) throw new RingJsonError(`${name}: pods is not a list`);
  if (value.length > MAX_PODS) throw new RingJsonError(`${name}: more than ${MAX_PODS} pods`);
  return value.map((pod: unknown) => readPod(asObject(pod, `a pod of ${name}`)));
}

function readPod({ name, address }: Record<string, unknown>): PodJson {
  if (typeof name !== 'string' || !/^[^\n]+$/.test(name) || !name.isWellFormed()) {
    throw new RingJsonError('a pod has no name that can be a key');
  }
  if (address === null) return { name, address };
  if (typeof address !== 'string' || !isHostPort(address))
    throw new RingJsonError(`pod ${name}: address is not host:port`);
  return { name, address };
}

/** host:port, with an IPv6 host in brackets, and nothing that would mean something else inside a URL. */
export function isHostPort(address: string): boolean {
  return /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/.test(address);
}

function readSize(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_RING_SIZE) return value;
  throw new RingJsonError(`${name}: size is not a whole number from 1 to ${MAX_RING_SIZE}`);
}

function readKeyKind(value: unknown): KeyKind {
  if (value === 'name' || value === 'address') return value;
  throw new RingJsonError('keyKind is neither "name" nor "address"');
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RingJsonError(`${what} is not a JSON object`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RingJsonError('the answer is not JSON');
  }
}
