/** Follows a collection of the API: list, watch, and the same again whenever that ends, until the signal comes. */

import type { KubeApi, KubeObject, List } from './kube-api.ts';
import { pause } from './pause.ts';

export interface Following<T> {
  readonly path: string;
  readonly signal: AbortSignal;
  /** An object is there, or was changed. */
  readonly onPut: (object: T) => void;
  /** It is gone; how it was last. */
  readonly onGone: (object: T) => void;
}

const RETRY_MS = 500;

export async function follow<T extends KubeObject>(api: KubeApi, following: Following<T>): Promise<void> {
  const known = new Map<string, T>();
  while (!following.signal.aborted) {
    try {
      await once(api, following, known);
    } catch {
      // Whatever it was, a list says what was missed.
      await pause(RETRY_MS);
    }
  }
}

async function once<T extends KubeObject>(
  api: KubeApi,
  { path, signal, onPut, onGone }: Following<T>,
  known: Map<string, T>,
): Promise<void> {
  const { items, metadata } = await api.get<List<T>>(path);
  const put = (object: T) => {
    known.set(uidOf(object), object);
    onPut(object);
  };
  const gone = (object: T) => {
    known.delete(uidOf(object));
    onGone(object);
  };
  const listed = new Set(items.map(uidOf));
  for (const object of [...known.values()]) if (!listed.has(uidOf(object))) gone(object);
  items.forEach(put);
  for await (const { type, object } of api.watch<T>(path, metadata.resourceVersion, signal)) {
    if (type === 'ERROR') return;
    if (type === 'DELETED') gone(object);
    else if (type !== 'BOOKMARK') put(object);
  }
}

function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? '';
}
