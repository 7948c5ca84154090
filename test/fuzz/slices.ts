/**
 * What an API server may answer: JSON of EndpointSlices with anything in any place, as a page of a list and as lines of a
 * watch. It is read, or it is told as malformed; and what was read makes a set of pods that routing can live with. That
 * lives of pods end in the right set, whatever the order of events, is the model of test/discovery, see `slices-model.ts`.
 */
import fc from 'fast-check';
import { readPage, readWatchLine } from '../../proxy/discovery/api-answers.ts';
import { type EndpointSlice, MalformedAnswer } from '../../proxy/discovery/endpoint-slice.ts';
import { SliceStore } from '../../proxy/discovery/slice-store.ts';
import { unionOf } from '../../proxy/discovery/slices.ts';
import { HeapWatch, inBatches, leaks, type Report } from './report.ts';

const TARGET = { namespace: 'shop', service: 'backend', portName: 'stomp', family: 'IPv4' } as const;
/** What stands in a place where the API promises something else. */
const wrong = fc.constantFrom<unknown>(
  ...[
    undefined,
    null,
    '',
    'x',
    0,
    -1,
    1.5,
    2 ** 53,
    true,
    [],
    {},
    [null],
    [[]],
    '__proto__',
    '\ud800',
    'a'.repeat(300),
  ],
);
const or = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: wrong });
const flag = fc.constantFrom(true, false, null, undefined);
const address = fc.oneof(
  { weight: 5, arbitrary: fc.nat(4).map((host) => `10.0.0.${host}`) },
  { weight: 1, arbitrary: fc.constantFrom('fd00::1', '256.1.1.1', '10.0.0.1:80', 'pod.example', '10.0.0.01', '::') },
);
const endpoint = fc.record({
  addresses: or(fc.array(or(address), { minLength: 1, maxLength: 2 })),
  conditions: or(fc.record({ ready: or(flag), serving: or(flag), terminating: or(flag) })),
  targetRef: or(
    fc.record({
      kind: or(fc.constant('Pod')),
      name: or(fc.nat(4).map((n) => `pod-${n}`)),
      uid: or(fc.nat(6).map((n) => `uid-${n}`)),
    }),
  ),
});
const port = fc.record({
  name: or(fc.constantFrom('stomp', 'stomp', 'http', '')),
  port: or(fc.constantFrom(8080, 8081, 0, 65_536)),
  protocol: or(fc.constantFrom('TCP', 'UDP')),
});
const slice = fc.record({
  metadata: or(
    fc.record({
      name: or(fc.nat(3).map((n) => `backend-${n}`)),
      uid: or(fc.constant('u')),
      resourceVersion: or(fc.nat(99).map(String)),
    }),
  ),
  addressType: or(fc.constantFrom('IPv4', 'IPv4', 'IPv6', 'FQDN')),
  ports: or(fc.array(or(port), { maxLength: 2 })),
  endpoints: or(fc.array(or(endpoint), { maxLength: 4 })),
});
const watchEvent = fc.record({
  type: or(fc.constantFrom('ADDED', 'MODIFIED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR')),
  object: or(slice),
});
const page = fc.record({
  kind: or(fc.constant('EndpointSliceList')),
  metadata: or(fc.record({ resourceVersion: or(fc.constant('7')), continue: or(fc.constantFrom('', 'more')) })),
  items: or(fc.array(or(slice), { maxLength: 3 })),
});
/** JSON as it comes, cut, or with an octet that is something else. */
const octets = (value: fc.Arbitrary<unknown>) =>
  fc.tuple(value, fc.integer({ min: 0, max: 60 }), fc.nat(), fc.nat(255)).map(([value, dice, at, octet]) => {
    const whole = Buffer.from(JSON.stringify(value));
    if (dice === 0) return whole.subarray(0, at % (whole.length + 1));
    if (dice === 1) whole[at % whole.length] = octet;
    return whole;
  });
const sequence = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: octets(watchEvent).map((line) => ({ line })) },
    { weight: 1, arbitrary: octets(page).map((page) => ({ page })) },
  ),
  { minLength: 1, maxLength: 8 },
);

export interface SlicesFuzz {
  readonly sequences: number;
  readonly seed: number;
}

export async function fuzzSlices({ sequences, seed }: SlicesFuzz): Promise<Report> {
  const startMs = performance.now();
  const heap = new HeapWatch();
  const count = { sequences: 0, answers: 0, malformed: 0, pods: 0 };
  const property = fc.property(sequence, (answers) => {
    const store = new SliceStore();
    for (const answer of answers) {
      count.answers++;
      if (!taken(store, answer)) count.malformed++;
      count.pods += checked(store);
    }
    count.sequences++;
  });
  const isEnough = () => {
    heap.at(count.sequences / sequences);
    return count.sequences >= sequences;
  };
  const failures = await inBatches({ property, seed, isEnough });
  const figures = heap.figures;
  return {
    ...{ target: 'EndpointSlice JSON', cases: count.sequences, unit: 'sequences', heapMB: figures },
    seconds: (performance.now() - startMs) / 1000,
    failures: [...failures, ...leaks(figures)],
    more: { answers: count.answers, malformed: count.malformed, podsSeen: count.pods },
  };
}

/** False when it was told as malformed; what else it throws is a bug. */
function taken(store: SliceStore, answer: { line: Buffer } | { page: Buffer }): boolean {
  try {
    if ('page' in answer) store.replace(readPage(answer.page).slices);
    else apply(store, readWatchLine(answer.line, TARGET));
    return true;
  } catch (error) {
    if (error instanceof MalformedAnswer || error instanceof SyntaxError) return false;
    // TextDecoder says a TypeError for octets that are no UTF-8.
    if (error instanceof TypeError && (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return false;
    throw error;
  }
}

function apply(store: SliceStore, event: ReturnType<typeof readWatchLine>): void {
  if ('type' in event && event.type === 'put') store.put(event.slice as EndpointSlice);
  else if ('type' in event && event.type === 'remove') store.remove(event.slice as EndpointSlice);
}

/** One pod is one id, one name, one address that can be dialled. Gives how many there are. */
function checked(store: SliceStore): number {
  const { pods, problems } = unionOf(store.all(), TARGET);
  for (const part of ['id', 'name', 'address'] as const) {
    if (new Set(pods.map((pod) => pod[part])).size !== pods.length) throw new Error(`two pods share one ${part}`);
  }
  for (const { address, state } of pods) {
    const { hostname, port } = new URL(`tcp://${address}`);
    if (hostname === '' || port === '0' || port === '') throw new Error(`${address} cannot be dialled`);
    if (!['serving', 'draining', 'unready'].includes(state)) throw new Error(`state ${state}`);
  }
  for (const problem of problems) if (String(problem) === '') throw new Error('a problem without words');
  return pods.length;
}
