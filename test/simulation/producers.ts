/** The real producer library: one inside the proxy, which knows where users are, and one elsewhere, which learns rings late. */
import {
  createProducer,
  localRing,
  type Message,
  type PodAddress,
  type PostResult,
  type Producer,
  type RingSnapshot,
  type RingSource,
  type Transport,
} from '../../producer/index.ts';
import type { Routing } from '../../proxy/routing/index.ts';
import { type Network, Pipe } from './pipe.ts';
import type { SimPod } from './pods.ts';

export interface ProducerWorld extends Network {
  readonly routing: Routing;
  pod(address: string): SimPod | undefined;
  log(text: () => string): void;
}

export type Outcome = 'delivered' | 'offline' | 'expired';

/** One message, from the moment it was given to the producer. */
export interface Sent {
  readonly n: number;
  readonly atMs: number;
  outcome: Outcome | undefined;
  /** How often pods were asked; one that hung may deliver what another one has delivered long ago. */
  attempts: number;
}

export const QUEUE = '/queue/a';
const TTL_MS = 20_000;
const ATTEMPT_MS = 500;

export class Producers {
  readonly #world: ProducerWorld;
  readonly #local: Producer;
  readonly #remote: Producer;
  /** `GET /v1/ring` as a stream. */
  readonly #stream: Pipe;
  #snapshot: RingSnapshot | undefined;

  constructor(world: ProducerWorld) {
    this.#world = world;
    this.#stream = new Pipe(world, false, () => {});
    const { routing, agenda, dice } = world;
    const local = localRing({
      snapshot: () => this.snapshotNow(),
      ownerHint: (user) => {
        const pod = routing.whereIs(user);
        return pod === undefined || pod === 'wait' ? undefined : routing.keyOf(pod);
      },
      moving: (user) => routing.whereIs(user) === 'wait',
    });
    const clock = {
      now: () => agenda.now,
      after: (ms: number, run: () => void) => this.#timer(ms, run),
    };
    const options = { clock, random: dice.next, attemptTimeoutMs: ATTEMPT_MS, ttlMs: TTL_MS };
    this.#local = createProducer({ ...options, ring: local, transport: this.#transport() });
    this.#remote = createProducer({ ...options, ring: this.#remoteRing(), transport: this.#transport() });
  }

  get queued(): number {
    return this.#local.queued + this.#remote.queued;
  }

  send(user: string, isLocal: boolean, sent: Sent): void {
    const { agenda } = this.#world;
    const producer = isLocal ? this.#local : this.#remote;
    void producer.send(user, QUEUE, `${sent.n}`, { id: `${user}-${sent.n}` }).then((result) => {
      sent.outcome = result.status;
      sent.attempts = result.attempts;
      this.#world.log(() => `message ${sent.n} for ${user}: ${JSON.stringify(result)}`);
      agenda.promised();
    });
    agenda.promised();
  }

  /** The rings have changed; who is elsewhere hears of it later. */
  ringChanged(): void {
    const snapshot = this.snapshotNow();
    this.#stream.push(() => {
      this.#snapshot = snapshot;
    });
  }

  snapshotNow(): RingSnapshot {
    const { routing } = this.#world;
    const { committed, target } = routing;
    const pods = new Map([...committed.keys, ...target.keys].map((key) => [key, routing.podOf(key)]));
    return { committed, target, podOf: (key) => pods.get(key) };
  }

  #remoteRing(): RingSource {
    return { current: () => this.#snapshot, close: () => {} };
  }

  #timer(ms: number, run: () => void): () => void {
    const { agenda } = this.#world;
    let isOn = true;
    agenda.after(ms, () => {
      if (!isOn) return;
      run();
      agenda.promised();
    });
    return () => {
      isOn = false;
    };
  }

  #transport(): Transport {
    return {
      post: (pod, message, deadline) => this.#post(pod, message, deadline),
      close: async () => {},
    };
  }

  #post({ name, address }: PodAddress, message: Message, deadline: number): Promise<PostResult> {
    const { agenda, dice, latencyMs } = this.#world;
    return new Promise((resolve) => {
      const answer = (result: PostResult) => {
        resolve(result);
        agenda.promised();
      };
      agenda.at(deadline, () => answer({ unreachable: `${name}: no answer`, ambiguous: true }));
      agenda.after(dice.between(0, latencyMs), () => this.#arrive(this.#world.pod(address), message, answer));
    });
  }

  /** A pod that is stopped takes what waits for it when it wakes up, after what its links have brought. */
  #arrive(pod: SimPod | undefined, message: Message, answer: (result: PostResult) => void): void {
    const { agenda, dice, latencyMs } = this.#world;
    if (pod === undefined || !pod.isAlive) return answer({ unreachable: 'ECONNREFUSED', ambiguous: false });
    if (agenda.now <= pod.stalledUntilMs)
      return agenda.at(pod.stalledUntilMs + 1, () => this.#arrive(pod, message, answer));
    const { user, destination, id, seq } = message;
    const body = new TextDecoder().decode(message.body);
    const result = pod.post(user, `/user${destination}`, { body, id, seq });
    this.#world.log(() => `${pod.uid} takes message ${body} for ${user}: ${result}`);
    agenda.after(dice.between(0, latencyMs), () => {
      answer(pod.isAlive ? result : { unreachable: 'ECONNRESET', ambiguous: true });
    });
  }
}
