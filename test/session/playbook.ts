/**
 * Drives a session through a protocol trace in virtual time.
 *
 * Every input is followed by `shows(…)` with everything that goes out on a wire, in order; an input while something is
 * unasserted fails, so a trace is always complete. `1 < SEND …` goes to link 1, `client < MESSAGE …` to the client,
 * `dial 2 b handover`, `close 1 abort`, `pause client`, `request recovery 0` are what they say. Facts are asked for apart.
 *
 * Like the relay, it passes MESSAGE and plain SEND by itself as the session's routes say.
 */
import { expect } from 'vitest';
import type { Pod } from '../../proxy/discovery/index.ts';
import type {
  Effect,
  Fact,
  LinkCause,
  LinkEnd,
  LinkId,
  OwnHeaders,
  SessionEvent,
  SessionOptions,
} from '../../proxy/session/index.ts';
import { marksOf, Profile, type ProfileName, type ProfileTerms, Session } from '../../proxy/session/index.ts';
import type { Frame } from '../../stomp/index.ts';
import { frame, line } from './notation.ts';
import { Shell } from './shell.ts';

/** The profile of every pod, whatever it says. */
export function always(name: ProfileName, terms: Partial<ProfileTerms> = {}): SessionOptions['profileOf'] {
  const profile = new Profile(name, terms);
  return () => profile;
}

export const OPTIONS: SessionOptions = {
  profileOf: always('custom'),
  settleMs: 200,
  connectMaxMs: 2_000,
  barrierMaxMs: 3_000,
  orderQuietMs: 50,
  orderMaxMs: 1_000,
  drainMaxMs: 5_000,
  commitMaxMs: 30_000,
  closeMaxMs: 500,
  outageMaxMs: 60_000,
  holdBytes: 64 * 1024,
  subscriptionsMax: 100,
  dedupMaxAgeMs: 120_000,
  dedupWindow: 100,
  dedupHeader: 'holdfast-id',
  linkBeatMs: 2_000,
  clientBeatMs: 10_000,
};

export const CONNECT = 'CONNECT accept-version:1.2 host:example';
export const SUB_A = 'SUBSCRIBE id:1 destination:/user/queue/a';

export function pod(name: string): Pod {
  return { id: `uid-${name}`, name, address: `${name}:80`, state: 'serving' };
}

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;

export class Playbook {
  readonly session: Session;
  readonly #options: SessionOptions;
  readonly shell: Shell;
  readonly facts: Fact[] = [];
  now = 0;
  #shown: string[] = [];

  constructor(options: Partial<SessionOptions> = {}, connect = CONNECT, own?: OwnHeaders) {
    this.#options = { ...OPTIONS, ...options };
    this.session = new Session(this.#options, frame(connect, 'client'), false, own);
    this.shell = new Shell(this.session, (effect) => this.#record(effect));
    this.shell.start(this.now);
  }

  /** An open session on link 1 at pod a, with these subscriptions. */
  static opened(subscriptions: readonly string[] = [SUB_A], options: Partial<SessionOptions> = {}): Playbook {
    const play = new Playbook(options);
    play.forget().grant('a', 'open').forget().opens(1).forget().pod(1, 'CONNECTED version:1.2').forget();
    for (const subscription of subscriptions) play.client(subscription).forget();
    play.facts.length = 0;
    return play;
  }

  /** An open session in the middle of a handover from a (link 1) to b (link 2): one barrier receipt is owed. */
  static replaying(options: Partial<SessionOptions> = {}): Playbook {
    return Playbook.opened([SUB_A], options).grant('b').forget().connects(2).forget();
  }

  /** An open session at b (link 2), whose old link 1 to a drains. */
  static switched(options: Partial<SessionOptions> = {}): Playbook {
    return Playbook.replaying(options).pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  }

  client(text: string): this {
    const read = frame(text, 'client');
    if (this.shell.clientRoute !== undefined && isPlainSend(read)) {
      this.#ready();
      this.#shown.push(`${this.shell.clientRoute} < ${text}`);
      return this;
    }
    return this.event({ type: 'client-frame', frame: read, binary: false });
  }

  pod(link: LinkId, text: string): this {
    const read = frame(text, 'server');
    if (read.command === 'MESSAGE' && this.shell.links.get(link)?.route === 'pass') return this.#pass(read);
    return this.event({ type: 'link-frame', link, frame: read, binary: false });
  }

  #pass(message: Frame): this {
    this.#ready();
    const { deliver, facts } = this.session.admit(marksOf(message, this.#options.dedupHeader), this.now);
    this.facts.push(...facts);
    if (deliver) this.#shown.push(`client < ${line(message.bytes, 'server')}`);
    return this;
  }

  grant(name: string, cause: LinkCause = 'handover'): this {
    return this.event({ type: 'granted', cause, pod: pod(name) });
  }

  opens(link: LinkId): this {
    return this.event({ type: 'link-open', link });
  }

  /** The link opens and is CONNECTED; both show. */
  connects(link: LinkId): this {
    this.opens(link);
    const shown = this.#shown;
    this.#shown = [];
    this.pod(link, 'CONNECTED version:1.2');
    this.#shown.unshift(...shown);
    return this;
  }

  /** The link ends; a number is a close code. */
  ends(link: LinkId, end: LinkEnd | number = 1006): this {
    const asEnd: LinkEnd = typeof end === 'number' ? { kind: 'closed', code: end, reason: '' } : end;
    return this.event({ type: 'link-ended', link, end: asEnd });
  }

  event(event: SessionEvent): this {
    this.#ready();
    this.shell.handle(event, this.now);
    return this;
  }

  /** Time passes up to `ms` after the start, with a tick at each deadline on the way. */
  at(ms: number): this {
    this.#ready();
    for (;;) {
      const deadline = this.session.nextDeadline();
      if (deadline === undefined || deadline.atMs > ms) break;
      this.now = Math.max(this.now, deadline.atMs);
      this.shell.handle({ type: 'tick' }, this.now);
      const after = this.session.nextDeadline();
      expect(after?.atMs ?? Number.POSITIVE_INFINITY, `progress past "${deadline.why}"`).toBeGreaterThan(this.now);
    }
    this.now = ms;
    return this;
  }

  after(ms: number): this {
    return this.at(this.now + ms);
  }

  /** Everything that went out since the last input, in order. */
  shows(...lines: string[]): this {
    expect(this.#shown).toEqual(lines);
    return this.forget();
  }

  /** What went out does not matter here. */
  forget(): this {
    this.#shown = [];
    return this;
  }

  /** What went out matters only in part. */
  get shown(): readonly string[] {
    return this.#shown;
  }

  /** The facts of one kind since the last time, oldest first. */
  known<T extends Fact['type']>(type: T): FactOf<T>[] {
    const found = this.facts.filter((fact): fact is FactOf<T> => fact.type === type);
    this.facts.splice(0, this.facts.length, ...this.facts.filter((fact) => fact.type !== type));
    return found;
  }

  #ready(): void {
    expect(this.#shown, 'unasserted before the next input').toEqual([]);
  }

  #record(effect: Effect): void {
    if (effect.type === 'fact') this.facts.push(effect.fact);
    const shown = describe(effect);
    if (shown !== undefined) this.#shown.push(shown);
  }
}

function isPlainSend(read: Frame): boolean {
  if (read.command !== 'SEND' || read.header('destination')?.startsWith('/holdfast/') === true) return false;
  return read.header('receipt') === undefined && read.header('transaction') === undefined;
}

/** Facts, routes and beats have no line: they are asked for by name where a test is about them. */
function describe(effect: Effect): string | undefined {
  switch (effect.type) {
    case 'request-link':
      return `request ${effect.cause} ${effect.attempt}`;
    case 'dial':
      return `dial ${effect.link} ${effect.pod.name} ${effect.cause}`;
    case 'send-link':
      return `${effect.link} < ${line(effect.bytes, 'client')}`;
    case 'send-client':
      return `client < ${line(effect.bytes, 'server')}`;
    case 'close-link':
      return `close ${effect.link} ${effect.how}`;
    case 'pause-link':
      return `${effect.paused ? 'pause' : 'resume'} ${effect.link}`;
    case 'pause-client':
      return effect.paused ? 'pause client' : 'resume client';
    case 'close-client':
      return `close client ${effect.code} ${effect.why}`;
    default:
      return undefined;
  }
}

/** The `moved` notices among shown lines, as objects. */
export function notices(lines: readonly string[]): unknown[] {
  return lines
    .filter((shown) => shown.includes('destination:/holdfast/session'))
    .map((shown) => JSON.parse(shown.slice(shown.indexOf(' | ') + 3)));
}
