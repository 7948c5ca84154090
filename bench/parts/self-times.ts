/** What a CPU profile of V8 says of each function's own time. */
import { type CpuProfile, nameOf, ownerOf, type ProfileSpan, timesByNode } from './cpu-profile.ts';

export interface SelfTime {
  /** `function file:line` */
  readonly name: string;
  /** Of the time in which there was something to do. */
  readonly percent: number;
}

/** Largest first. */
export function selfTimes(profile: CpuProfile, span: ProfileSpan): SelfTime[] {
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]));
  return sharesOf(Array.from(timesByNode(profile, span), ([id, time]) => [names.get(id) ?? '', time]));
}

/** The same by owner, largest first. */
export function byOwner(times: readonly SelfTime[]): SelfTime[] {
  return sharesOf(times.map(({ name, percent }) => [ownerOf(name), percent]));
}

function sharesOf(times: readonly (readonly [string, number])[]): SelfTime[] {
  const sums = new Map<string, number>();
  for (const [name, time] of times) sums.set(name, (sums.get(name) ?? 0) + time);
  const all = times.reduce((total, [, time]) => total + time, 0);
  return Array.from(sums, ([name, time]) => ({ name, percent: (100 * time) / all })).sort(
    (a, b) => b.percent - a.percent,
  );
}
