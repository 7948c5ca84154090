/** What V8 writes with --cpu-prof, and the time of each of its nodes. */

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  /** Ids of what was called from here. */
  readonly children?: readonly number[];
}

export interface CpuProfile {
  /** The first one is the root. */
  readonly nodes: readonly ProfileNode[];
  /** µs of the machine's monotonic clock. */
  readonly startTime: number;
  /** Node ids, and the µs since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** µs of the same clock. */
export interface ProfileSpan {
  readonly from: number;
  readonly to: number;
}

const IDLE = '(idle)';

/** Each node's own µs within the span, by id; idle time is left out. */
export function timesByNode(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  span: ProfileSpan,
): Map<number, number> {
  const idle = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === IDLE).map(({ id }) => id));
  const times = new Map<number, number>();
  let at = startTime;
  samples.forEach((id, index) => {
    const delta = timeDeltas[index] ?? 0;
    at += delta;
    if (at >= span.from && at <= span.to && !idle.has(id)) times.set(id, (times.get(id) ?? 0) + delta);
  });
  return times;
}

/** `function file:line` */
export function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?=node_modules\/|proxy\/|stomp\/|websocket\/|ring\/)/, '');
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`;
}

/** What a function belongs to, by its name; the first that fits. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^(write(v|Buffer|Utf8String|Latin1String)|shutdown)$/, 'writes to sockets'],
  [/^\(garbage collector\)$/, 'garbage collector'],
  [/ node_modules\/ws\//, 'ws'],
  [/ node:/, 'Node'],
  [/ websocket\//, 'websocket/'],
  [/ stomp\//, 'stomp/'],
  [/ proxy\/session\//, 'proxy/session'],
  [/ proxy\//, 'rest of proxy/'],
];

export function ownerOf(name: string): string {
  return OWNERS.find(([pattern]) => pattern.test(name))?.[1] ?? 'all else, native';
}
