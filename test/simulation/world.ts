/** The real sessions, routing, topology and producers, with everything round them simulated, in virtual time. */
import type { Topology } from '../../proxy/discovery/topology.ts';
import { Routing } from '../../proxy/routing/index.ts';
import { Profile as BackendProfile, type EndReason, type Fact } from '../../proxy/session/index.ts';
import { Agenda } from './agenda.ts';
import { type ClientHost, SimClient } from './client.ts';
import { Dice } from './dice.ts';
import { Feed } from './feed.ts';
import type { Plan } from './plan.ts';
import { SimPod } from './pods.ts';
import { Producers, QUEUE, type Sent } from './producers.ts';
import { NEWS, ROUTING, SESSION, STATE, TICKER } from './settings.ts';
import { must, Violation } from './violation.ts';
import { Wire } from './wire.ts';
import { WORK, WorkQueue } from './work-queue.ts';

/** ActiveMQ's says of a broker all that the simulated one does. */
const PROFILES = { receipt: new BackendProfile('activemq'), settle: new BackendProfile('spring') };

export class World {
  readonly agenda = new Agenda();
  readonly dice: Dice;
  readonly plan: Plan;
  readonly profile: Plan['profile'];
  readonly numbers: boolean;
  readonly routing: Routing;
  readonly pods: SimPod[] = [];
  readonly clients: SimClient[] = [];
  readonly feed: Feed;
  readonly producers: Producers;
  latencyMs: number;
  frozenUntilMs = 0;
  /** How often each SEND of a client was taken by a pod, by its body. */
  readonly taken = new Map<string, number>();
  /** What was sent to each user, in order. */
  readonly sent = new Map<string, Sent[]>();
  readonly news: Sent[] = [];
  readonly ticks: Readonly<Record<'p' | 'q', Sent[]>> = { p: [], q: [] };
  readonly queues = new Map<string, WorkQueue>();
  readonly claims = new Map<string, { readonly wire: Wire; readonly isAlive: () => boolean }>();
  jobs = 0;
  /** Whoever waits for the next handover: told its client's id and the pods. */
  readonly ambushes: ((from: string, to: string) => void)[] = [];
  /** Clients that may end, and for which reason. */
  readonly mayEnd = new Map<SimClient, Set<EndReason>>();
  /** Users whose sessions were at different pods: a message then reaches only those at one of them. */
  readonly split = new Set<string>();
  /** Reasons that hold for any client. */
  readonly mayEndBy = new Set<EndReason>();
  readonly #trace: ((text: string) => void) | undefined;
  #decisionDue = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #lastUid = 0;
  #ringVersion = '';

  constructor(plan: Plan, trace?: (text: string) => void) {
    this.#trace = trace;
    this.plan = plan;
    this.profile = plan.profile;
    this.numbers = plan.numbers;
    this.latencyMs = plan.latencyMs;
    this.dice = Dice.for(plan.seed, 'world');
    this.routing = new Routing(ROUTING, this.dice.next);
    this.feed = new Feed(this, this.pods, (topology) => this.#topology(topology));
    this.producers = new Producers(this);
  }

  log(text: () => string): void {
    this.#trace?.(`${this.agenda.now.toFixed(1).padStart(8)} ${text()}`);
  }

  /** @param name a StatefulSet's pod keeps its name; its UID and address are new each time */
  addPod(name: string): SimPod {
    const n = ++this.#lastUid;
    const pod = new SimPod(this, `${name}#${n}`, name, `10.0.0.${n % 250}`);
    this.pods.push(pod);
    this.log(() => `pod ${pod.uid} joins`);
    return pod;
  }

  removePod(pod: SimPod): void {
    pod.isAlive = false;
    const index = this.pods.indexOf(pod);
    if (index >= 0) this.pods.splice(index, 1);
  }

  pod(address: string): SimPod | undefined {
    return this.pods.find(({ ip }) => `${ip}:80` === address);
  }

  podOfUid(uid: string): SimPod | undefined {
    return this.pods.find((pod) => pod.uid === uid);
  }

  took(body: string): void {
    this.taken.set(body, (this.taken.get(body) ?? 0) + 1);
  }

  addClient(user: string): SimClient {
    const holdBytes = this.plan.holdBytes;
    const options = { ...SESSION, profileOf: () => PROFILES[this.profile], holdBytes };
    const connect = this.plan.exclusive ? ` client-id:${this.clients.length + 1}` : '';
    const client = new SimClient(this.clients.length + 1, user, connect, options, this.#host);
    this.clients.push(client);
    this.routing.open(client.id, user, user);
    client.start();
    client.send(`SUBSCRIBE id:1 destination:/user${QUEUE}`);
    client.send('SUBSCRIBE id:h destination:/holdfast/session');
    if (this.plan.fanout) client.send(`SUBSCRIBE id:n destination:${NEWS}`);
    if (this.plan.ticker) client.send(`SUBSCRIBE id:t destination:${TICKER}`);
    if (this.plan.work !== undefined) client.send(`SUBSCRIBE id:w destination:${WORK} ack:${this.plan.work}`);
    if (this.profile === 'settle') client.send(`SUBSCRIBE id:o destination:${STATE}`);
    return client;
  }

  /** A message for a user. */
  produce(user: string, isLocal: boolean): void {
    const list = this.sent.get(user) ?? [];
    this.sent.set(user, list);
    const sent: Sent = { n: list.length + 1, atMs: this.agenda.now, outcome: undefined, attempts: 0 };
    list.push(sent);
    this.producers.send(user, isLocal, sent);
  }

  /** A message for everybody, that a broker gives to all its nodes. */
  broadcast(): void {
    const sent: Sent = { n: this.news.length + 1, atMs: this.agenda.now, outcome: 'delivered', attempts: 1 };
    this.news.push(sent);
    const message = { body: `${sent.n}`, id: `news-${sent.n}`, seq: `news:${sent.n}` };
    for (const pod of this.pods) pod.spread(NEWS, message);
  }

  /** A message of the ticker, by one of its two producers. */
  tick(producer: 'p' | 'q'): void {
    const list = this.ticks[producer];
    const sent: Sent = { n: list.length + 1, atMs: this.agenda.now, outcome: 'delivered', attempts: 1 };
    list.push(sent);
    for (const pod of this.pods) pod.tick(producer, `${sent.n}`);
  }

  /** A pod that wakes up may read the CONNECT of a link that was given up long ago, before it reads its end. */
  claim(clientId: string, wire: Wire, isAlive: () => boolean): void {
    if (wire.isBroken) return;
    const holder = this.claims.get(clientId);
    const isFree = holder === undefined || holder.wire.isBroken || !holder.isAlive();
    must(isFree, 'one link at a time', () => `client-id ${clientId}`);
    this.claims.set(clientId, { wire, isAlive });
  }

  /** The user's queue of jobs. */
  work(user: string): WorkQueue | undefined {
    const { work: mode } = this.plan;
    if (mode === undefined) return undefined;
    const queue = this.queues.get(user) ?? new WorkQueue(this.agenda, mode);
    this.queues.set(user, queue);
    return queue;
  }

  readonly #host: ClientHost = this.#hostOf();

  #hostOf(): ClientHost {
    const world = this;
    return {
      agenda: this.agenda,
      get dice() {
        return world.dice;
      },
      get latencyMs() {
        return world.latencyMs;
      },
      get frozenUntilMs() {
        return world.frozenUntilMs;
      },
      get profile() {
        return world.profile;
      },
      dial: (client, { id }, end) => {
        const pod = this.podOfUid(id) ?? this.#gone(id);
        return new Wire(this, client, pod.uid, pod, end);
      },
      request: (client, cause, attempt) => {
        this.routing.request(client.id, cause, attempt, this.agenda.now);
        this.#decideSoon();
      },
      fact: (client, fact) => this.#fact(client, fact),
      arrived: (client, pod) => {
        this.routing.arrived(client.id, pod, this.agenda.now);
        this.#noteSplit(client, pod.id);
        this.#decideSoon();
      },
      ended: (client, why) => this.#ended(client, why),
      sent: (body) => this.taken.set(body, this.taken.get(body) ?? 0),
      mayBeLate: (user, destination, n) => {
        const sent = destination === `/user${QUEUE}` ? this.sent.get(user)?.[n - 1] : undefined;
        return sent?.outcome === 'expired' || (sent?.attempts ?? 0) > 1;
      },
      log: (text) => this.log(text),
    };
  }

  #fact(client: SimClient, fact: Fact): void {
    const { now } = this.agenda;
    if (fact.type === 'link-live') this.routing.connected(client.id, fact.tookMs);
    else if (fact.type === 'link-failed') this.routing.failed(client.id, fact.pod, fact.blame, now);
    else if (fact.type === 'link-lost') this.routing.lost(client.id, fact.pod, fact.blame, now);
    else if (fact.type === 'handed-over') this.routing.drained(client.id, fact.from);
    else if (fact.type === 'handover-started') this.ambushes.shift()?.(fact.from.id, fact.to.id);
    this.#decideSoon();
  }

  /**
   * A move takes all sessions of a user along; whoever comes from nowhere is apart from the others when they are at another pod,
   * unless that is a move that is not committed yet: then it belongs to the pod that producers ask, and that the others still read.
   */
  #noteSplit(client: SimClient, podId: string): void {
    if (!client.cameFromNowhere) return;
    const isAsked = this.routing.podOf(this.routing.committed.owner(client.user) ?? '')?.id === podId;
    const reads = ({ session }: SimClient) =>
      [...session.links()].some(({ pod, state }) => pod.id === podId && state === 'draining');
    const isApart = (other: SimClient) =>
      other !== client &&
      other.user === client.user &&
      other.session.pod !== undefined &&
      other.session.pod.id !== podId &&
      !(isAsked && reads(other));
    if (this.clients.some(isApart)) this.split.add(client.user);
  }

  #ended(client: SimClient, why: EndReason): void {
    this.log(() => `client ${client.id} ended: ${why}`);
    if (this.mayEnd.get(client)?.has(why) !== true && !this.mayEndBy.has(why))
      throw new Violation('no client is closed', `client ${client.id}: ${why}`);
    this.agenda.after(0, () => {
      this.routing.close(client.id);
      this.#decideSoon();
    });
  }

  allowEnd(client: SimClient, why: EndReason): void {
    const reasons = this.mayEnd.get(client) ?? new Set();
    this.mayEnd.set(client, reasons.add(why));
  }

  #gone(uid: string): SimPod {
    const pod = new SimPod(this, uid, uid, '10.0.1.1');
    pod.isAlive = false;
    return pod;
  }

  #topology(topology: Topology): void {
    this.log(() => `topology: ${topology.pods.map(({ id, state }) => `${id} ${state}`).join(', ')}`);
    this.routing.topology(topology, this.agenda.now);
    this.#decideSoon();
  }

  /** Once for all that came at one moment, as the switchboard does it. */
  #decideSoon(): void {
    if (this.#decisionDue) return;
    this.#decisionDue = true;
    this.agenda.at(Math.max(this.agenda.now, this.frozenUntilMs), () => this.#decide());
  }

  #decide(): void {
    this.#decisionDue = false;
    const { grants, committed, wereApart } = this.routing.tick(this.agenda.now);
    for (const { session, cause, pod } of grants) this.clients[session - 1]?.granted(cause, pod);
    for (const session of committed) this.clients[session - 1]?.tell({ type: 'committed' });
    for (const session of wereApart) this.clients[session - 1]?.tell({ type: 'was-apart' });
    this.#tellRing();
    const atMs = this.routing.nextDeadline(this.agenda.now);
    if (atMs === Number.POSITIVE_INFINITY || atMs === this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    this.agenda.at(atMs, () => {
      if (this.#wakeAtMs !== atMs) return;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#decideSoon();
    });
  }

  #tellRing(): void {
    const version = `${this.routing.committed.version}/${this.routing.target.version}`;
    if (version === this.#ringVersion) return;
    this.#ringVersion = version;
    this.log(() => `rings: committed ${this.routing.committed.keys}, target ${this.routing.target.keys}`);
    this.producers.ringChanged();
  }
}
