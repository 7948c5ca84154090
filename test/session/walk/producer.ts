/** The producer of one user: one message on its way at a time, the same number again until a pod has taken it. */
import type { Routing } from '../../../proxy/routing/index.ts';
import type { Agenda, Dice } from './agenda.ts';
import { QUEUE } from './client.ts';
import type { SimPod } from './pods.ts';

/** What a producer knows and uses. */
export interface ProducerWorld {
  readonly agenda: Agenda;
  readonly dice: Dice;
  readonly routing: Routing;
  readonly pods: readonly SimPod[];
  log(text: string): void;
}

export class SimProducer {
  readonly user: string;
  /** When each message was first sent, by number minus one. */
  readonly sentAtMs: number[] = [];
  isDone = false;
  readonly #world: ProducerWorld;
  /** In the proxy's own process a producer knows where the user is; elsewhere it has only the rings. */
  readonly #isLocal: boolean;

  constructor(world: ProducerWorld, user: string, isLocal: boolean) {
    this.user = user;
    this.#world = world;
    this.#isLocal = isLocal;
  }

  /** Sends until `untilMs`, and ends when the last message is taken. */
  run(untilMs: number): void {
    const { agenda, dice } = this.#world;
    this.isDone = agenda.now > untilMs;
    if (this.isDone) return;
    this.sentAtMs.push(agenda.now);
    this.#look(() => agenda.after(dice.between(0, 250), () => this.run(untilMs)));
  }

  #look(taken: () => void): void {
    const candidates = this.#candidates();
    const next = (): void => {
      const pod = candidates.shift();
      if (pod === undefined) return this.#world.agenda.after(this.#world.dice.between(10, 80), () => this.#look(taken));
      this.#post(pod, (answer) => (answer === 'delivered' ? taken() : next()));
    };
    next();
  }

  #candidates(): SimPod[] {
    const { routing } = this.#world;
    const here = this.#isLocal ? routing.whereIs(this.user) : undefined;
    if (here === 'wait') return [];
    const [committed, target] = [routing.committed, routing.target].map((ring) => ring.owners(this.user, 8));
    const heads = [here?.name, committed?.[0], target?.[0]];
    const names = new Set([...heads, ...(committed ?? []), ...(target ?? [])]);
    return [...names].flatMap((name) => this.#podOf(name));
  }

  #podOf(name: string | undefined): SimPod | [] {
    const pod = name === undefined ? undefined : this.#world.routing.podOf(name);
    return this.#world.pods.find(({ id }) => id === pod?.id) ?? [];
  }

  #post(pod: SimPod, answered: (answer: 'delivered' | 'no-session' | 'unreachable') => void): void {
    const { agenda, dice } = this.#world;
    agenda.after(dice.between(0, 30), () => {
      const result = pod.isAlive ? pod.post(this.user, QUEUE, this.sentAtMs.length) : 'unreachable';
      this.#world.log(`producer ${this.user} ${this.sentAtMs.length} at ${pod.id}: ${result}`);
      agenda.after(dice.between(0, 30), () => answered(pod.isAlive ? result : 'unreachable'));
    });
  }
}
