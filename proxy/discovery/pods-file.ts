/**
 * The pods file: a YAML or JSON list of `{name, address, state}`.
 *
 *     - { name: pod-1, address: 10.0.0.7:8080 }                   # state: serving
 *     - { name: pod-2, address: 10.0.0.8:8080, state: draining }  # out of the ring, its links stay
 *
 * It is read strictly, since a typing error that is taken for "fewer pods" would move every user of the pods that seem gone.
 */
import { type Document, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import { parseAddress, parsePodName } from './address.ts';
import { DiscoveryError, messageOf } from './discovery-error.ts';
import { PodSet } from './pod-set.ts';
import type { Pod, PodState } from './topology.ts';

const KEYS = ['name', 'address', 'state'];

/** Reads the whole text of a pods file. Throws `DiscoveryError` that names line and entry. `[]` is a file that says "no pods". */
export function parsePodsFile(text: string): Pod[] {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ''), { lineCounter: lines });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new DiscoveryError(`not YAML or JSON: ${firstLine(problem.message)}`);
  const list = document.contents;
  if (list === null) throw new DiscoveryError('the file is empty; write [] when there really are no pods');
  if (!isSeq(list)) throw new DiscoveryError('the file must be a list; begin each pod with "- name: …"');
  const values = valuesOf(document);
  const set = new PodSet();
  for (const [index, node] of list.items.entries()) {
    const where = `line ${lineOf(node, lines)} (entry ${index + 1})`;
    set.add(readEntry(values[index], where), where);
  }
  return set.pods;
}

function valuesOf(document: Document): unknown[] {
  try {
    return document.toJS() as unknown[];
  } catch (error) {
    // Only an alias without its anchor, or one that expands without end, comes here.
    throw new DiscoveryError(`not YAML or JSON: ${firstLine(messageOf(error))}`);
  }
}

function readEntry(value: unknown, where: string): Pod {
  if (!isRecord(value)) throw new DiscoveryError(`${where}: not a pod; write {name: …, address: HOST:PORT}`);
  for (const key of Object.keys(value)) {
    if (!KEYS.includes(key)) {
      throw new DiscoveryError(`${where}: unknown key "${key}"; a pod has the keys ${KEYS.join(', ')}`);
    }
  }
  try {
    const name = parsePodName(textOf(value, 'name'));
    return { id: name, name, address: parseAddress(textOf(value, 'address')), state: stateOf(value['state']) };
  } catch (error) {
    throw error instanceof DiscoveryError ? new DiscoveryError(`${where}: ${error.message}`) : error;
  }
}

function textOf(value: Record<string, unknown>, key: string): string {
  const text = value[key];
  if (text === undefined || text === null) throw new DiscoveryError(`"${key}" is missing; write ${key}: …`);
  if (typeof text !== 'string') throw new DiscoveryError(`"${key}" is not a text; put it in quotes`);
  return text;
}

function stateOf(state: unknown): PodState {
  if (state === undefined) return 'serving';
  if (state === 'serving' || state === 'draining') return state;
  throw new DiscoveryError(`state ${JSON.stringify(state)} is unknown; write serving or draining`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lineOf(node: unknown, lines: LineCounter): number {
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return offset === undefined ? 1 : lines.linePos(offset).line;
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/:$/, '');
}
