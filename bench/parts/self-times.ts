/** What a CPU profile of V8 says of each function's own time. */

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** µs of the machine's monotonic clock. */
  readonly startTime: number;
  /** Node ids, and the µs since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  /** `function file:line` */
  readonly name: string;
  /** Of the time in which there was something to do. */
  readonly percent: number;
}

/** Largest first, for the samples within `span` (µs of the same clock). */
export function selfTimes(profile: CpuProfile, span: { readonly from: number; readonly to: number }): SelfTime[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let at = profile.startTime;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    const name = names.get(id) ?? '';
    if (at >= span.from && at <= span.to && name !== '(idle)') times.set(name, (times.get(name) ?? 0) + delta);
  });
  const sum = [...times.values()].reduce((total, time) => total + time, 0);
  return Array.from(times, ([name, time]) => ({ name, percent: (100 * time) / sum })).sort(
    (a, b) => b.percent - a.percent,
  );
}

/** What a function belongs to, by its name; the first that fits. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^write(v|Buffer|Utf8String|Latin1String)$/, 'writes to sockets'],
  [/^\(garbage collector\)$/, 'garbage collector'],
  [/ node_modules\/ws\//, 'ws'],
  [/ node:/, 'Node'],
  [/ stomp\//, 'stomp/'],
  [/ proxy\/session\//, 'proxy/session'],
  [/ proxy\//, 'rest of proxy/'],
];

/** The same by owner, largest first. */
export function byOwner(times: readonly SelfTime[]): SelfTime[] {
  const sums = new Map<string, number>();
  for (const { name, percent } of times) {
    const owner = OWNERS.find(([pattern]) => pattern.test(name))?.[1] ?? 'all else, native';
    sums.set(owner, (sums.get(owner) ?? 0) + percent);
  }
  return Array.from(sums, ([name, percent]) => ({ name, percent })).sort((a, b) => b.percent - a.percent);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(?=node_modules\/|proxy\/|stomp\/|ring\/)/, '');
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`;
}
