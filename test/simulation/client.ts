/**
 * One client with its session. It does what the relay does: performs the effects, lets plain frames take the short way, stops
 * reading where it is told to; and it notes for the rules what reached the client and how.
 */
import type { Pod } from '../../proxy/discovery/index.ts';
import { costOf } from '../../proxy/session/hold.ts';
import type {
  Effect,
  EndReason,
  Fact,
  LinkCause,
  LinkId,
  SessionEvent,
  SessionOptions,
} from '../../proxy/session/index.ts';
import { marksOf, Session } from '../../proxy/session/index.ts';
import { Decoder, type Frame, frameOf } from '../../stomp/index.ts';
import { bytes, frame } from '../session/notation.ts';
import { Shell } from '../session/shell.ts';
import type { Agenda } from './agenda.ts';
import { Inbox } from './inbox.ts';
import { LinkSubscriptions } from './link-subscriptions.ts';
import { type Network, Pipe } from './pipe.ts';
import { words } from './pods.ts';
import { must } from './violation.ts';
import type { Listener, ProxyEnd, Wire } from './wire.ts';
import { WORK } from './work-queue.ts';

/** What a session needs of the world, in the order in which the switchboard does it. */
export interface ClientHost extends Network {
  readonly agenda: Agenda;
  readonly profile: 'receipt' | 'settle';
  dial(client: SimClient, pod: Pod, end: ProxyEnd): Wire;
  request(client: SimClient, cause: 'open' | 'recovery', attempt: number): void;
  fact(client: SimClient, fact: Fact): void;
  arrived(client: SimClient, pod: Pod): void;
  ended(client: SimClient, why: EndReason): void;
  sent(body: string): void;
  /** The producer of this message was told that it has expired. */
  mayBeLate(user: string, destination: string, n: number): boolean;
  log(text: () => string): void;
}

/** How long a passing subscription is kept at least: longer than it takes to reach a pod, and its threads. */
const PASSING_MIN_MS = 200;
/** How long a job takes. */
const JOB_MAX_MS = 100;
/** Twice as many links as any client has had in 20,000 worlds, of ten faults at most. */
const ARRIVALS_MAX = 24;
/** A client that does not read for so long is closed. */
export const SLOW_MAX_MS = 4_000;

export class SimClient implements Listener {
  readonly id: number;
  readonly user: string;
  readonly session: Session;
  readonly shell: Shell;
  /** It had no pod before the one that it is at. */
  cameFromNowhere = true;
  readonly inbox: Inbox;
  /** When the pod that the client's frames go to first had the subscription of a destination. */
  readonly listensSinceMs = new Map<string, number>();
  readonly subscriptions = new LinkSubscriptions();
  /** How often routing said that it was apart from others of its user. */
  timesApart = 0;
  readonly #options: SessionOptions;
  readonly #host: ClientHost;
  readonly #toProxy: Pipe;
  readonly #wires = new Map<LinkId, Wire>();
  #pod: Pod | undefined;
  #arrivals = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #isFull = false;
  #fullTimes = 0;
  #reads = true;
  /** What one chunk may bring beyond a bound: the frames that came while nothing was read. */
  readonly #largestChunks = { client: 0, link: 0 };
  #doneMs = 0;
  #lastJob = 0;
  readonly #passing: { readonly id: string; readonly sinceMs: number }[] = [];

  /** @param connect more headers of CONNECT */
  constructor(id: number, user: string, connect: string, options: SessionOptions, host: ClientHost) {
    this.id = id;
    this.user = user;
    this.#options = options;
    this.#host = host;
    this.inbox = new Inbox(`client ${id}`, host.agenda, (destination, n) => host.mayBeLate(user, destination, n));
    const decoder = new Decoder({ peer: 'client' });
    this.#toProxy = new Pipe(host, true, (chunk) => {
      const frames = decoder.push(chunk).filter((read) => read !== 'beat');
      this.#largestChunks.client = Math.max(this.#largestChunks.client, costOfAll(frames));
      for (const read of frames) this.#fromClient(read);
    });
    this.session = new Session(options, frame(`CONNECT accept-version:1.2${connect}`, 'client'), false);
    this.shell = new Shell(this.session, (effect) => this.#perform(effect));
  }

  start(): void {
    this.shell.start(this.#host.agenda.now);
    this.#afterwards();
  }

  /**
   * A client can rely on its subscription when the pod that it was said to has taken it. In the middle of a handover the next pod
   * may have it sooner, but messages do not go there yet.
   */
  listens(wire: Wire, destination: string): void {
    const { clientRoute } = this.shell;
    if (clientRoute === undefined || this.#wires.get(clientRoute) !== wire) return;
    if (!this.listensSinceMs.has(destination)) this.listensSinceMs.set(destination, this.#host.agenda.now);
  }

  get isOver(): boolean {
    return this.session.ended;
  }

  /** What the client writes. */
  send(text: string): void {
    this.#host.log(() => `client ${this.id} > ${text}`);
    const raw = bytes(text);
    const said = frameOf(raw, 'client');
    const receipt = said.header('receipt');
    if (receipt !== undefined) this.inbox.receipts.set(receipt, 0);
    if (said.command === 'SEND') this.#host.sent(new TextDecoder().decode(said.body));
    this.#toProxy.send(raw);
  }

  /** One of the subscriptions that come and go. */
  subscribe(n: number, asksReceipt: boolean): void {
    this.#passing.push({ id: `s${n}`, sinceMs: this.#host.agenda.now });
    this.send(`SUBSCRIBE id:s${n} destination:/topic/passing${asksReceipt ? ` receipt:s${n}` : ''}`);
  }

  /** The one that is there longest; not so soon that Spring's threads could take it first. */
  unsubscribe(): void {
    const [first] = this.#passing;
    if (first === undefined || this.#host.agenda.now - first.sinceMs < PASSING_MIN_MS) return;
    this.#passing.shift();
    this.send(`UNSUBSCRIBE id:${first.id}`);
  }

  /** The client's socket is gone. */
  vanish(): void {
    this.#toProxy.push(() => this.tell({ type: 'client-gone', code: 1006 }));
  }

  /** The client stops reading for so long. Its buffers are full at the next message. */
  sleep(ms: number): void {
    const { agenda } = this.#host;
    this.#reads = false;
    agenda.after(ms, () => this.#awake());
  }

  #awake(): void {
    this.#reads = true;
    if (!this.#isFull) return;
    this.#isFull = false;
    for (const [id, wire] of this.#wires) wire.down.pause(this.shell.links.get(id)?.paused === true);
    if (!this.isOver) this.tell({ type: 'client-full', full: false });
  }

  #fillUp(): void {
    if (this.#reads || this.#isFull || this.isOver) return;
    this.#isFull = true;
    const turn = ++this.#fullTimes;
    for (const id of this.#liveLinks()) this.#wires.get(id)?.down.pause(true);
    this.#host.agenda.after(0, () => this.tell({ type: 'client-full', full: true }));
    this.#host.agenda.after(SLOW_MAX_MS, () => {
      if (this.#isFull && this.#fullTimes === turn) this.tell({ type: 'client-failed', reason: 'slow' });
    });
  }

  /** Links that were primary at some time. */
  *#liveLinks(): Iterable<LinkId> {
    for (const [id, { state, wasPrimary }] of this.subscriptions.links) if (state !== 'over' && wasPrimary) yield id;
  }

  #fromClient(read: Frame): void {
    if (this.isOver) return;
    const route = this.shell.clientRoute;
    const isPlain =
      read.command === 'SEND' && read.header('receipt') === undefined && read.header('transaction') === undefined;
    if (isPlain && route !== undefined) this.#wires.get(route)?.send(read.bytes);
    else this.tell({ type: 'client-frame', frame: read, binary: false });
  }

  granted(cause: LinkCause, pod: Pod): void {
    this.#host.log(() => `client ${this.id} granted ${pod.id} ${cause}`);
    this.tell({ type: 'granted', cause, pod });
  }

  tell(event: SessionEvent): void {
    if (event.type === 'was-apart') this.timesApart++;
    if (this.isOver) return;
    this.#host.log(() => describeEvent(this.id, event));
    const isLate = 'link' in event && this.subscriptions.links.get(event.link)?.state === 'over';
    this.inbox.isLate = isLate;
    if (event.type === 'link-ended') this.subscriptions.over(event.link);
    this.shell.handle(event, this.#host.agenda.now);
    this.inbox.isLate = false;
    this.#afterwards();
  }

  #arrived(pod: Pod): void {
    this.#arrivals += 1;
    must(this.#arrivals <= ARRIVALS_MAX, 'no links without end', () => `client ${this.id} has had ${this.#arrivals}`);
    this.#host.arrived(this, pod);
  }

  /** As the relay does after each event: routing learns the new place, and a timer is set. */
  #afterwards(): void {
    const { pod } = this.session;
    if (pod !== this.#pod) {
      this.cameFromNowhere = this.#pod === undefined;
      this.#pod = pod;
      this.#host.log(() => `client ${this.id} is at ${pod?.id ?? 'no pod'}`);
      if (pod !== undefined) this.#arrived(pod);
    }
    this.#checkHeld();
    if (!this.isOver) this.subscriptions.check(this);
    const atMs = this.session.nextDeadline()?.atMs ?? Number.POSITIVE_INFINITY;
    if (atMs >= this.#wakeAtMs || atMs === Number.POSITIVE_INFINITY) return;
    this.#wakeAtMs = atMs;
    this.#host.agenda.at(atMs, () => this.#wake(atMs));
  }

  /**
   * The bound counts once for each of: what the client said and waits, its open transactions, copies of a topic, and twice for
   * messages that wait for their order; and the chunks that crossed it.
   */
  #checkHeld(): void {
    const { bytes: held } = this.session.held;
    const { client, link } = this.#largestChunks;
    const bound = 5 * this.#options.holdBytes + client + 2 * this.shell.links.size * link;
    must(held <= bound, 'held within bounds', () => `client ${this.id} holds ${held} bytes of ${bound}`);
  }

  /** What came in while the proxy did not run is read before its timers ring. */
  #wake(atMs: number): void {
    const { agenda, frozenUntilMs } = this.#host;
    if (this.#wakeAtMs !== atMs) return;
    if (agenda.now < frozenUntilMs) return agenda.at(frozenUntilMs + 1, () => this.#wake(atMs));
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.tell({ type: 'tick' });
  }

  #perform(effect: Effect): void {
    must(!this.inbox.isLate, 'a link that was left changes nothing', () => `client ${this.id}: ${effect.type}`);
    switch (effect.type) {
      case 'dial':
        this.subscriptions.dialled(effect.link);
        this.#wires.set(effect.link, this.#host.dial(this, effect.pod, this.#endOf(effect.link)));
        return;
      case 'send-link':
        this.subscriptions.said(effect.link, frameOf(effect.bytes, 'client'));
        return this.#wires.get(effect.link)?.send(effect.bytes);
      case 'close-link':
        return this.#closeLink(effect.link, effect.how);
      case 'send-client':
        return this.#toClient(frameOf(effect.bytes, 'server'));
      case 'pause-client':
        return this.#toProxy.pause(effect.paused);
      case 'pause-link':
        return this.#wires.get(effect.link)?.down.pause(effect.paused || this.#isFull);
      case 'client-route':
        return this.#routed(effect.link);
      default:
        return this.#performOnWorld(effect);
    }
  }

  #performOnWorld(effect: Effect): void {
    switch (effect.type) {
      case 'close-client':
        return this.#host.ended(this, effect.why);
      case 'request-link':
        return this.#host.request(this, effect.cause, effect.attempt);
      case 'fact':
        this.#host.log(() => `client ${this.id} ${describeFact(effect.fact)}`);
        return this.#host.fact(this, effect.fact);
    }
  }

  #routed(link: LinkId | undefined): void {
    const wire = link === undefined ? undefined : this.#wires.get(link);
    if (link === undefined || wire === undefined) return;
    this.subscriptions.primary(link, wire, this.#host.profile);
    for (const destination of wire.subscriptions.values()) this.listens(wire, destination);
    if (this.#isFull) wire.down.pause(true);
  }

  /** A socket that closes is read, or it would never see the pod's answer. */
  #closeLink(link: LinkId, how: 'close' | 'abort'): void {
    this.subscriptions.over(link);
    this.#wires.get(link)?.down.pause(false);
    this.#wires.get(link)?.close(how);
  }

  /** Late callbacks of links that were left come too: the session must not mind. */
  #endOf(link: LinkId): ProxyEnd {
    return {
      opened: () => this.tell({ type: 'link-open', link }),
      frames: (frames) => {
        this.#largestChunks.link = Math.max(this.#largestChunks.link, costOfAll(frames));
        for (const read of frames) this.#fromLink(link, read);
      },
      ended: (end) => this.tell({ type: 'link-ended', link, end }),
    };
  }

  #fromLink(link: LinkId, read: Frame): void {
    const { links } = this.shell;
    const passes = read.command === 'MESSAGE' && links.get(link)?.route === 'pass' && links.get(link)?.state === 'open';
    if (!passes || this.isOver) return this.tell({ type: 'link-frame', link, frame: read, binary: false });
    this.#host.log(() => `client ${this.id} link ${link} < ${read.command} ${words(read)} passes`);
    const marks = marksOf(read, this.#options.dedupHeader);
    if (this.session.admit(marks, this.#host.agenda.now).deliver) this.#toClient(read);
  }

  #toClient(read: Frame): void {
    this.#host.log(() => `client ${this.id} < ${read.command} ${words(read)}`);
    this.inbox.receive(read);
    if (read.header('destination') === WORK) this.#acknowledgeSoon(read);
    this.#fillUp();
  }

  /** The job is done after a while, in the order in which jobs came. Some are given back once. */
  #acknowledgeSoon(job: Frame): void {
    const { agenda, dice } = this.#host;
    this.#doneMs = Math.max(this.#doneMs, agenda.now) + dice.between(0, JOB_MAX_MS);
    const body = new TextDecoder().decode(job.body);
    const isRefused = job.header('redelivered') === 'false' && dice.chance(0.05);
    const receipt = dice.chance(0.3) ? ` receipt:j${++this.#lastJob}` : '';
    agenda.at(this.#doneMs, () => {
      if (!this.isOver) this.send(`${isRefused ? 'NACK' : 'ACK'} id:${job.header('ack')} job:${body}${receipt}`);
    });
  }
}

function costOfAll(frames: readonly Frame[]): number {
  return frames.reduce((sum, read) => sum + costOf(read), 0);
}

function describeEvent(id: number, event: SessionEvent): string {
  switch (event.type) {
    case 'link-frame':
      return `client ${id} link ${event.link} < ${event.frame.command} ${words(event.frame)}`;
    case 'link-ended':
      return `client ${id} link ${event.link} ended: ${JSON.stringify(event.end)}`;
    case 'client-frame':
      return `client ${id} says ${event.frame.command} ${words(event.frame)}`;
    case 'link-open':
      return `client ${id} link ${event.link} is open`;
    default:
      return `client ${id} ${event.type}`;
  }
}

function describeFact(fact: Fact): string {
  const { type, ...rest } = fact;
  return `${type} ${JSON.stringify(rest, (_, value) => (value?.address === undefined ? value : value.id))}`;
}
