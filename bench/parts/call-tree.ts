/** Who called whom, and what it cost: what a flame graph is drawn from. */
import { type CpuProfile, nameOf, type ProfileNode, type ProfileSpan, timesByNode } from './cpu-profile.ts';

export interface Call {
  /** `function file:line`; the root is '(root)'. */
  readonly name: string;
  /** Of the time in which there was something to do, with all that it calls. */
  readonly percent: number;
  /** Largest first. */
  readonly calls: readonly Call[];
}

/** What is narrower cannot be read in a drawing. */
const LEAST_PERCENT = 0.25;

export function callTree(profile: CpuProfile, span: ProfileSpan): Call {
  const times = timesByNode(profile, span);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const all = [...times.values()].reduce((total, time) => total + time, 0);
  const [root] = profile.nodes;
  if (root === undefined || all === 0) throw new Error('the profile has nothing of this span');
  const { time, calls } = merged([root], nodes, times, (LEAST_PERCENT * all) / 100);
  const asCall = (name: string, part: Part): Call => ({
    name,
    percent: (100 * part.time) / all,
    calls: part.calls.map(([each, inner]) => asCall(each, inner)),
  });
  return asCall('(root)', { time, calls });
}

interface Part {
  readonly time: number;
  readonly calls: readonly (readonly [string, Part])[];
}

/** One function, which the profile has as several nodes where it was called in several ways. */
function merged(
  nodes: readonly ProfileNode[],
  all: ReadonlyMap<number, ProfileNode>,
  times: ReadonlyMap<number, number>,
  least: number,
): Part {
  const inner = nodes.flatMap(({ children = [] }) => children.flatMap((id) => all.get(id) ?? []));
  const groups = Map.groupBy(inner, nameOf);
  const calls = Array.from(groups, ([name, group]) => [name, merged(group, all, times, least)] as const);
  const own = nodes.reduce((total, { id }) => total + (times.get(id) ?? 0), 0);
  const time = calls.reduce((total, [, call]) => total + call.time, own);
  return { time, calls: calls.filter(([, call]) => call.time >= least).sort(([, a], [, b]) => b.time - a.time) };
}
