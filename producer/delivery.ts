/**
 * One message on its way: look for the user's session pod by pod, and if no pod has it look again, until it is delivered,
 * refused, proven offline, or out of time.
 *
 * A look asks the candidates one after the other and ends at the first pod that has the user. What it leaves behind
 * decides how the message ends:
 *   every candidate said "no session", for an unbroken span (see absence.ts)   → offline
 *   the time to live ran out before that could be proven                       → expired
 * Looks after the first one share a budget with those of all other messages (see retry-budget.ts).
 * Tries at the same pod or another repeat the same id and sequence number; a session drops what it has seen.
 */
import type { Absence } from './absence.ts';
import { type Backoff, fullJitterMs } from './backoff.ts';
import { candidates } from './candidates.ts';
import type { Clock, Random } from './clock.ts';
import type { RetryBudget } from './retry-budget.ts';
import { type RingSnapshot, type RingSource, ringsVersion } from './ring-source.ts';
import type { Suspects } from './suspects.ts';
import { type Message, type PostResult, type Transport, unreachable } from './transport.ts';
import type { Waits } from './waits.ts';

export interface World {
  readonly ring: RingSource;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly suspects: Suspects;
  readonly waits: Waits;
  readonly backoff: Backoff;
  readonly budget: RetryBudget;
  readonly attemptTimeoutMs: number;
  readonly maxWalk: number;
}

type How =
  | { readonly status: 'delivered'; readonly pod: string }
  | { readonly status: 'offline' }
  | { readonly status: 'expired'; readonly reason: string }
  | { readonly status: 'refused'; readonly reason: string };

/** What a look found when it found no session. */
type Look = 'absent' | 'unsure';

/** `mayHaveLeft`: a client may have seen the message, so its sequence number is spent. */
export type Ending = How & { readonly attempts: number; readonly mayHaveLeft: boolean };

/**
 * How long a message waits while a session of its user is known to have no pod: asking another pod now would reach the
 * user's other sessions and miss that one. Longer than a recovery takes; past it the sessions that live get the message.
 */
export const MOVING_MAX_MS = 2_000;

export const CLOSED = 'the producer was closed';
const ON_ITS_WAY = 'a session of the user is on its way to a pod';
const NO_PROOF = 'no pod had a session of the user, but not for long enough to call the user offline';

export class Delivery {
  readonly #world: World;
  readonly #message: Message;
  readonly #deadline: number;
  readonly #absence: Absence;
  #attempts = 0;
  #hadLast = false;
  #mayHaveLeft = false;
  #trouble = NO_PROOF;

  constructor(world: World, message: Message, deadline: number, absence: Absence) {
    this.#world = world;
    this.#message = message;
    this.#deadline = deadline;
    this.#absence = absence;
  }

  async run(): Promise<Ending> {
    const { clock, waits } = this.#world;
    const heldUntil = clock.now() + MOVING_MAX_MS;
    for (let looks = 0; ; looks++) {
      if (waits.closed) return this.#end({ status: 'expired', reason: CLOSED });
      if (clock.now() >= this.#deadline) return this.#end({ status: 'expired', reason: this.#trouble });
      const rings = this.#world.ring.current();
      const isHeld = clock.now() < heldUntil && this.#world.ring.moving?.(this.#message.user) === true;
      const found = isHeld ? this.#unsure(ON_ITS_WAY) : await this.#look(rings);
      if (typeof found === 'object') return this.#end(found);
      if (found !== 'skipped' && this.#isProvenBy(found, rings)) return this.#end({ status: 'offline' });
      await waits.sleep(this.#waitMs(isHeld ? 0 : looks));
    }
  }

  #waitMs(looks: number): number {
    const { clock, backoff, random } = this.#world;
    const leftMs = Math.max(0, this.#deadline - clock.now());
    // A proof that is due and has found no budget comes round again like any other look.
    const proofMs = this.#proofInMs() || Number.POSITIVE_INFINITY;
    return Math.min(fullJitterMs(looks, random, backoff), proofMs, leftMs);
  }

  /** 'absent' when every candidate answered for itself that it has no session of the user; 'skipped' when nobody was asked. */
  async #look(rings: RingSnapshot | undefined): Promise<How | Look | 'skipped'> {
    if (rings === undefined) return this.#unsure('no ring has been learnt yet');
    const keys = this.#order(rings);
    if (keys.length === 0) return this.#unsure('the ring has no pods');
    const { asked, paid } = this.#allowance(keys);
    if (asked === 0) return 'skipped';
    const before = this.#attempts;
    const found = await this.#walk(keys.slice(0, asked), rings);
    const isOver = typeof found === 'object';
    const owed = asked - paid + (isOver ? 1 : 0);
    this.#world.budget.giveBack(paid - Math.max(0, this.#attempts - before - owed));
    return isOver || asked === keys.length ? found : 'unsure';
  }

  /**
   * How many of the candidates, in their order, this look may ask, and how many of these requests the budget has paid for.
   * Owed to a message, whatever others ask: its first look, the one that may prove that the user is away, and a last one
   * before it expires. With a pod in trouble no look proves anything, and the first is one request at the likeliest pod.
   */
  #allowance(keys: readonly string[]): { readonly asked: number; readonly paid: number } {
    const { budget, clock, suspects } = this.#world;
    const all = keys.length;
    const isFirst = this.#attempts === 0;
    const isLast = this.#isLast();
    const inTrouble = suspects.any(keys, clock.now());
    const isProof = isFirst || this.#proofInMs() === 0;
    if (isLast || (isProof && !inTrouble)) return { asked: all, paid: 0 };
    const owed = isFirst ? 1 : 0;
    if (budget.take(all - owed)) return { asked: all, paid: all - owed };
    if (!isFirst && inTrouble && budget.take(1)) return { asked: 1, paid: 1 };
    return { asked: owed, paid: 0 };
  }

  /** Once, when the wait for another look may end after the message's time. */
  #isLast(): boolean {
    if (this.#hadLast || this.#deadline - this.#world.clock.now() > this.#world.backoff.capMs) return false;
    this.#hadLast = true;
    return true;
  }

  async #walk(keys: readonly string[], rings: RingSnapshot): Promise<How | Look> {
    let look: Look = 'absent';
    for (const key of keys) {
      if (this.#over()) return 'unsure';
      const found = await this.#ask(key, rings);
      if (typeof found === 'object') return found;
      if (found === 'unsure') look = 'unsure';
    }
    return look;
  }

  #order(rings: RingSnapshot): string[] {
    const { ring, suspects, clock, maxWalk } = this.#world;
    const { user } = this.#message;
    return suspects.last(candidates(rings, user, maxWalk, ring.ownerHint?.(user)), clock.now());
  }

  async #ask(key: string, rings: RingSnapshot): Promise<How | Look> {
    const pod = rings.podOf(key);
    if (pod === undefined) return this.#unsure(`${key}: its address is not known`);
    if (this.#attempts === 0) this.#world.budget.earn();
    this.#attempts += 1;
    const answer = await this.#post(pod);
    if (typeof answer === 'object' && 'unreachable' in answer) return this.#failed(key, pod.name, answer);
    this.#world.suspects.answered(key);
    if (answer === 'delivered') return { status: 'delivered', pod: pod.name };
    if (answer === 'no-session') return 'absent';
    return { status: 'refused', reason: `${pod.name}: ${answer.refused}` };
  }

  async #post(pod: { name: string; address: string }): Promise<PostResult> {
    const { clock, transport, attemptTimeoutMs } = this.#world;
    try {
      return await transport.post(pod, this.#message, Math.min(this.#deadline, clock.now() + attemptTimeoutMs));
    } catch (error) {
      return unreachable(error instanceof Error ? error.message : String(error), true);
    }
  }

  #failed(key: string, name: string, answer: { unreachable: string; ambiguous: boolean }): 'unsure' {
    this.#world.suspects.failed(key, this.#world.clock.now());
    this.#mayHaveLeft ||= answer.ambiguous;
    return this.#unsure(`${name}: ${answer.unreachable}`);
  }

  #unsure(trouble: string): 'unsure' {
    this.#trouble = trouble;
    return 'unsure';
  }

  #over(): boolean {
    return this.#world.waits.closed || this.#world.clock.now() >= this.#deadline;
  }

  /** Whether this look completes the proof that the user is away. */
  #isProvenBy(look: Look, rings: RingSnapshot | undefined): boolean {
    if (look === 'unsure' || rings === undefined || this.#world.ring.moving?.(this.#message.user) === true) {
      this.#absence.broken();
      return false;
    }
    const neededMs = this.#absence.seen(ringsVersion(rings), this.#world.clock.now());
    return neededMs === 0 && !this.#mayHaveLeft;
  }

  /** When a look may prove that the user is away. */
  #proofInMs(): number {
    // A pod that took the message and died may have handed it over before: then nobody can say that no client saw it.
    return this.#mayHaveLeft ? Number.POSITIVE_INFINITY : this.#absence.neededMs(this.#world.clock.now());
  }

  #end(how: How): Ending {
    const delivered = how.status === 'delivered';
    if (delivered) this.#absence.broken();
    return { ...how, attempts: this.#attempts, mayHaveLeft: delivered || this.#mayHaveLeft };
  }
}
