/** Routing in virtual time, with the decisions of each step. */
import { expect } from 'vitest';
import type { Pod, PodState } from '../../proxy/discovery/index.ts';
import { topologyOf } from '../../proxy/discovery/topology-of.ts';
import { Routing, type RoutingOptions } from '../../proxy/routing/index.ts';
import { Ring } from '../../ring/index.ts';

export const OPTIONS: RoutingOptions = {
  ring: { pointsPerPod: 64 },
  admitAfterMs: 1_000,
  perSecond: 100,
  inFlightPerPod: 10,
  commitMaxMs: 30_000,
  retryMaxMs: 5_000,
};

export function pod(name: string, state: PodState = 'serving', id = `uid-${name}`): Pod {
  return { id, name, address: `${id}:80`, state };
}

export function topology(...pods: readonly (Pod | string)[]) {
  return topologyOf(
    pods.map((each) => (typeof each === 'string' ? pod(each) : each)),
    'static',
  );
}

/** A user whose pods, in the agreed order, are these. */
export function userOf(...order: readonly string[]): string {
  const ring = Ring.of(order, OPTIONS.ring);
  for (let i = 0; i < 10_000; i++) {
    const user = `user-${i}`;
    if (ring.owners(user, order.length).join() === order.join()) return user;
  }
  throw new Error(`no user is owned by ${order.join(', then ')}`);
}

export class World {
  readonly routing: Routing;
  now = 0;
  #lastSession = 0;

  constructor(
    pods: readonly (Pod | string)[],
    options: Partial<RoutingOptions> = {},
    random: () => number = () => 0.5,
  ) {
    this.routing = new Routing({ ...OPTIONS, ...options }, random);
    this.pods(...pods);
    this.routing.tick(this.now);
  }

  pods(...pods: readonly (Pod | string)[]): void {
    this.routing.topology(topology(...pods), this.now);
  }

  /** A session that wants its first link. */
  open(user: string): number {
    const session = ++this.#lastSession;
    this.routing.open(session, user, user);
    this.routing.request(session, 'open', 0, this.now);
    return session;
  }

  /** A session that is linked at the pod that it was granted. */
  linked(user: string): number {
    const session = this.open(user);
    const [grant] = this.routing.tick(this.now).grants;
    if (grant === undefined) throw new Error(`no pod was granted for ${user}`);
    this.connect(session, grant.pod);
    this.routing.tick(this.now);
    return session;
  }

  connect(session: number, to: Pod | string, tookMs = 50): void {
    this.routing.connected(session, tookMs);
    this.routing.arrived(session, asPod(to), this.now);
  }

  /** All that may go now are there at once, and those that may go then. */
  connectAll(): void {
    for (let { grants } = this.routing.tick(this.now); grants.length > 0; { grants } = this.routing.tick(this.now))
      for (const { session, pod } of grants) this.connect(session, pod);
  }

  fails(session: number, at: Pod | string, blame: 'pod' | 'session' = 'session'): void {
    this.routing.failed(session, asPod(at), blame, this.now);
  }

  loses(session: number, at: Pod | string, blame: 'pod' | 'session' = 'pod'): void {
    this.routing.lost(session, asPod(at), blame, this.now);
    this.routing.request(session, 'recovery', 0, this.now);
  }

  /** `session cause pod` of each grant at this moment. */
  grants(): string[] {
    return this.routing.tick(this.now).grants.map(({ session, cause, pod: { name } }) => `${session} ${cause} ${name}`);
  }

  /** Time passes with a tick at each deadline; the grants with their times. */
  until(ms: number): string[] {
    const granted: string[] = [];
    for (;;) {
      const at = this.routing.nextDeadline(this.now);
      if (at > ms) break;
      expect(at, 'a deadline is not awaited twice').toBeGreaterThan(this.now);
      this.now = at;
      granted.push(...this.grants().map((grant) => `${this.now}: ${grant}`));
    }
    this.now = ms;
    return granted;
  }
}

function asPod(named: Pod | string): Pod {
  return typeof named === 'string' ? pod(named) : named;
}
