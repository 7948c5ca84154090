/**
 * The union against a brute-force model: random lives of pods go through the fake EndpointSlice controller; its events arrive late,
 * doubled and in any order between slices (the order within one slice is kept, as a watch does), with lists in between. What
 * discovery says in the end must be what the pods themselves say.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSlice } from '../../proxy/discovery/endpoint-slice.ts';
import { SliceStore } from '../../proxy/discovery/slice-store.ts';
import { unionOf } from '../../proxy/discovery/slices.ts';
import type { Pod } from '../../proxy/discovery/topology.ts';
import { type FakePod, SliceController, SliceHistory } from './fake-api/index.ts';
import type { HistoryEvent } from './fake-api/slice-history.ts';

const RUNS = Number(process.env['HOLDFAST_PROPERTY_RUNS'] ?? 2_000);
const POLICY = { portName: 'stomp', family: 'IPv4' } as const;

/** Few names and addresses, so that they are reused all the time. */
type Step =
  | { do: 'make'; name: number; ip: number; ipv6: boolean }
  | { do: 'ready' | 'unready' | 'delete' | 'finish' | 'remove'; pod: number }
  | { do: 'deliver'; slice: number; twice: boolean }
  | { do: 'relist' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('make'), name: fc.nat(5), ip: fc.nat(5), ipv6: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('ready', 'unready', 'delete', 'finish', 'remove'), pod: fc.nat(5) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver'), slice: fc.nat(4), twice: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relist') }) },
);

class World {
  readonly history = new SliceHistory();
  readonly controller: SliceController;
  readonly pods = new Map<string, FakePod>();
  readonly store = new SliceStore();
  #inFlight: HistoryEvent[] = [];
  #uids = 0;

  constructor(sliceSize: number) {
    this.history.listen((event) => this.#inFlight.push(event));
    const ports = [{ name: 'stomp', port: 8080 }];
    this.controller = new SliceController(this.history, { name: 'backend', ports, sliceSize });
  }

  take(step: Step): void {
    switch (step.do) {
      case 'make':
        return this.#make(step);
      case 'deliver':
        return this.#deliver(step);
      case 'relist':
        // A list is a point in time: what was in flight before is in it.
        this.#inFlight = [];
        return this.store.replace(this.history.all().map(readSlice));
      default:
        return this.#change(step);
    }
  }

  #make({ name, ip, ipv6 }: Extract<Step, { do: 'make' }>): void {
    const living = [...this.pods.values()];
    // The API server refuses a second object of a name; a network gives a living pod's address to nobody else, a dying one's it may.
    if (living.some((pod) => pod.name === `pod-${name}` || (pod.ip === `10.0.0.${ip}` && pod.deleting !== true)))
      return;
    this.#uids += 1;
    const pod = { name: `pod-${name}`, uid: `uid-${this.#uids}`, ip: `10.0.0.${ip}`, ready: false };
    this.pods.set(pod.uid, ipv6 ? { ...pod, ipv6: `fd00::${ip}` } : pod);
    this.#reconcile(pod.uid);
  }

  #change({ do: what, pod: index }: Extract<Step, { pod: number }>): void {
    const pod = [...this.pods.values()][index];
    if (pod === undefined) return;
    if (what === 'remove') this.pods.delete(pod.uid);
    else if (what === 'delete') this.pods.set(pod.uid, { ...pod, deleting: true });
    else if (what === 'finish') this.pods.set(pod.uid, { ...pod, phase: 'Failed' });
    else this.pods.set(pod.uid, { ...pod, ready: what === 'ready' });
    this.#reconcile(pod.uid);
  }

  #reconcile(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) this.controller.remove(uid);
    else this.controller.set(pod);
  }

  /** The oldest event of one slice; other slices may have older ones. */
  #deliver({ slice, twice }: Extract<Step, { do: 'deliver' }>): void {
    const event = this.#inFlight[slice];
    if (event === undefined) return;
    const oldest = this.#inFlight.findIndex((other) => other.object.metadata.name === event.object.metadata.name);
    const [delivered] = this.#inFlight.splice(oldest, 1);
    for (let i = 0; i < (twice ? 2 : 1); i += 1) if (delivered !== undefined) this.#apply(delivered);
  }

  deliverAll(): void {
    for (const event of this.#inFlight.splice(0)) this.#apply(event);
  }

  #apply({ type, object }: HistoryEvent): void {
    this.store[type === 'DELETED' ? 'remove' : 'put'](readSlice(object));
  }

  /** What the pods themselves say, each compared with each. */
  get truth(): Pod[] {
    const present = [...this.pods.values()].filter((pod) => pod.phase !== 'Failed');
    return present
      .filter((pod) => !present.some((other) => other !== pod && other.ip === pod.ip && displaces(other, pod)))
      .map((pod) => ({ id: pod.uid, name: pod.name, address: `${pod.ip}:8080`, state: stateOf(pod) }));
  }
}

function stateOf(pod: FakePod): Pod['state'] {
  if (pod.ready !== true) return 'unready';
  return pod.deleting === true ? 'draining' : 'serving';
}

/** Of several pods at one address at most one is alive; among dying ones the ready one answers. */
function displaces(a: FakePod, b: FakePod): boolean {
  if ((a.deleting ?? false) !== (b.deleting ?? false)) return a.deleting !== true;
  return a.ready === true && b.ready !== true;
}

/** The states that the slices written last tell of a pod, endpoint by endpoint. */
function newestStates(store: SliceStore, id: string): Pod['state'][] {
  const seen = store
    .all()
    .flatMap(({ slice, writtenAt }) =>
      slice.endpoints.filter((endpoint) => endpoint.podUid === id).map((endpoint) => ({ endpoint, writtenAt })),
    );
  const newest = Math.max(...seen.map(({ writtenAt }) => writtenAt));
  return seen
    .filter(({ writtenAt }) => writtenAt === newest)
    .map(({ endpoint: { serving, terminating } }) => (!serving ? 'unready' : terminating ? 'draining' : 'serving'));
}

const byId = (a: Pod, b: Pod) => (a.id < b.id ? -1 : 1);

it('ends with what the pods say, whatever the order of events', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (steps, sliceSize, relistLast) => {
        const world = new World(sliceSize);
        for (const one of steps) {
          world.take(one);
          const { pods, problems } = unionOf(world.store.all(), POLICY);
          // Nothing is wrong but that a pod may have got the address of another one.
          expect(problems.filter((problem) => !problem.includes(' is left out: '))).toEqual([]);
          for (const part of ['id', 'name', 'address'] as const) {
            expect(new Set(pods.map((pod) => pod[part])).size).toBe(pods.length);
          }
          for (const pod of pods) expect(newestStates(world.store, pod.id)).toContain(pod.state);
        }
        if (relistLast) world.take({ do: 'relist' });
        world.deliverAll();
        const truth = world.truth;
        const contested = new Set(truth.map((pod) => pod.address)).size < truth.length;
        const { pods } = unionOf(world.store.all(), POLICY);
        if (!contested) expect(pods.sort(byId)).toEqual(truth.sort(byId));
        // Two dying pods at one address, both ready or both not: no slice tells which one is the ghost, but one of them it is.
        else expect(truth).toEqual(expect.arrayContaining(pods));
      },
    ),
    { numRuns: RUNS },
  );
});

it('gives the same pods whatever the order of the slices in a list', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30, size: 'max' }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      (steps, sliceSize, seed) => {
        const world = new World(sliceSize);
        for (const one of steps) if (one.do !== 'relist' && one.do !== 'deliver') world.take(one);
        world.deliverAll();
        const slices = world.store.all().map(({ slice }) => ({ slice, writtenAt: 1 }));
        const shuffled = slices.map((slice, i) => ({ slice, at: (seed * (i + 7)) % 101 })).sort((a, b) => a.at - b.at);
        const again = shuffled.map(({ slice }) => slice);
        expect(unionOf(again, POLICY).pods.sort(byId)).toEqual(unionOf(slices, POLICY).pods.sort(byId));
      },
    ),
    { numRuns: RUNS },
  );
});
