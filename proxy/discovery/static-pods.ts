import { parseAddress, parsePodName } from './address.ts';
import { DiscoveryError } from './discovery-error.ts';
import { PodSet } from './pod-set.ts';
import type { Pod } from './topology.ts';

/** Reads `NAME=HOST:PORT,NAME=HOST:PORT,…`; all pods serve. Throws `DiscoveryError` that names the entry. */
export function parseStaticPods(text: string): Pod[] {
  if (text.trim() === '') throw new DiscoveryError('no pods are given; write NAME=HOST:PORT,NAME=HOST:PORT,…');
  const set = new PodSet();
  for (const [index, entry] of text.split(',').entries()) {
    const where = `pod ${index + 1}`;
    set.add(parseEntry(entry.trim(), where), where);
  }
  return set.pods;
}

function parseEntry(entry: string, where: string): Pod {
  const equals = entry.indexOf('=');
  if (equals < 0) {
    throw new DiscoveryError(`${where}: "${entry}" has no "="; write NAME=HOST:PORT, entries separated by one comma`);
  }
  try {
    const name = parsePodName(entry.slice(0, equals));
    return { id: name, name, address: parseAddress(entry.slice(equals + 1)), state: 'serving' };
  } catch (error) {
    throw error instanceof DiscoveryError ? new DiscoveryError(`${where}: ${error.message}`) : error;
  }
}
