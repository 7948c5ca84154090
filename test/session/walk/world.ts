/** The real sessions and the real routing, with everything round them simulated, in virtual time. */
import { topologyOf } from '../../../proxy/discovery/topology-of.ts';
import { Routing } from '../../../proxy/routing/index.ts';
import type { SessionOptions } from '../../../proxy/session/index.ts';
import type { Frame } from '../../../stomp/index.ts';
import { OPTIONS } from '../playbook.ts';
import { Agenda, Dice } from './agenda.ts';
import { type ClientHost, QUEUE, SimClient } from './client.ts';
import { SimPod, Wire } from './pods.ts';
import { SimProducer } from './producer.ts';

const SESSION: SessionOptions = {
  ...OPTIONS,
  connectMaxMs: 1_000,
  barrierMaxMs: 1_000,
  drainMaxMs: 1_000,
  commitMaxMs: 4_000,
};

const ROUTING = {
  ring: { pointsPerPod: 8 },
  admitAfterMs: 150,
  perSecond: 100,
  inFlightPerPod: 4,
  commitMaxMs: 30_000,
  retryMaxMs: 1_000,
};

export class World {
  readonly agenda = new Agenda();
  readonly dice: Dice;
  readonly routing: Routing;
  readonly pods: SimPod[] = [];
  readonly clients: SimClient[] = [];
  readonly producers: SimProducer[] = [];
  /** How often each SEND of a client was taken by a pod, by its body. */
  readonly taken = new Map<string, number>();
  readonly #trace: ((text: string) => void) | undefined;
  #decisionDue = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #lastUid = 0;

  constructor(seed: number, trace?: (text: string) => void) {
    this.#trace = trace;
    this.dice = new Dice(seed);
    this.routing = new Routing(ROUTING, this.dice.next);
  }

  log(text: string): void {
    this.#trace?.(`${this.agenda.now.toFixed(1).padStart(8)} ${text}`);
  }

  addPod(name: string): SimPod {
    const pod = new SimPod(`${name}#${++this.#lastUid}`, name, (_, frame) => this.#took(frame));
    this.pods.push(pod);
    this.log(`pod ${pod.id} joins`);
    return pod;
  }

  #took(frame: Frame): void {
    const body = new TextDecoder().decode(frame.body);
    this.taken.set(body, (this.taken.get(body) ?? 0) + 1);
  }

  /** Routing hears of the pods as they are a little later. */
  publish(): void {
    this.agenda.after(this.dice.between(0, 100), () => {
      this.routing.topology(topologyOf(this.listed(), 'static'), this.agenda.now);
      this.#decideSoon();
    });
  }

  listed() {
    return this.pods.map(({ pod }) => pod);
  }

  addClient(user: string): SimClient {
    const client = new SimClient(this.clients.length + 1, user, SESSION, this.#host);
    this.clients.push(client);
    this.routing.open(client.id, user, user);
    client.start();
    client.send(`SUBSCRIBE id:1 destination:/user${QUEUE}`);
    client.send('SUBSCRIBE id:h destination:/holdfast/session');
    return client;
  }

  addProducer(user: string, isLocal: boolean, fromMs: number, untilMs: number): void {
    const producer = new SimProducer(this, user, isLocal);
    this.producers.push(producer);
    this.agenda.at(fromMs, () => producer.run(untilMs));
  }

  readonly #host: ClientHost = {
    agenda: this.agenda,
    dial: (client, { id }, end) => {
      const pod = this.pods.find((each) => each.id === id) ?? this.#gone(id);
      return new Wire(this, client.user, pod, end);
    },
    request: (client, cause, attempt) => {
      this.routing.request(client.id, cause, attempt, this.agenda.now);
      this.#decideSoon();
    },
    fact: (client, fact) => {
      const { now } = this.agenda;
      if (fact.type === 'link-live') this.routing.connected(client.id, fact.tookMs);
      else if (fact.type === 'link-failed') this.routing.failed(client.id, fact.pod, fact.blame, now);
      else if (fact.type === 'link-lost') this.routing.lost(client.id, fact.pod, fact.blame, now);
      else if (fact.type === 'ended') throw new Error(`client ${client.id} was closed: ${fact.why}`);
      this.#decideSoon();
    },
    arrived: (client, pod) => {
      this.routing.arrived(client.id, pod, this.agenda.now);
      this.#decideSoon();
    },
    sent: (body) => this.taken.set(body, 0),
    log: (text) => this.log(text),
  };

  #gone(id: string): SimPod {
    const pod = new SimPod(id, id, () => {});
    pod.isAlive = false;
    return pod;
  }

  /** Once for all that came at one moment, as the switchboard does it. */
  #decideSoon(): void {
    if (this.#decisionDue) return;
    this.#decisionDue = true;
    this.agenda.after(0, () => this.#decide());
  }

  #decide(): void {
    this.#decisionDue = false;
    const { grants, committed } = this.routing.tick(this.agenda.now);
    for (const { session, cause, pod } of grants) this.clients[session - 1]?.granted(cause, pod);
    for (const session of committed) this.clients[session - 1]?.tell({ type: 'committed' });
    const atMs = this.routing.nextDeadline(this.agenda.now);
    if (atMs === Number.POSITIVE_INFINITY || atMs === this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    this.agenda.at(atMs, () => {
      if (this.#wakeAtMs !== atMs) return;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#decideSoon();
    });
  }
}
