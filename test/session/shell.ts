/**
 * What stands round a session in tests: it keeps the state that a relay would keep, and checks after every effect what must
 * hold in any history whatever.
 */
import type { Pod } from '../../proxy/discovery/index.ts';
import type { Effect, EndReason, LinkId, Session, SessionEvent } from '../../proxy/session/index.ts';

export interface ShellLink {
  readonly pod: Pod;
  /** `closing`: a close frame was sent and the pod is still read. `over`: nothing may be sent any more. */
  state: 'dialing' | 'open' | 'closing' | 'over';
  route: 'pass' | 'ask';
  paused: boolean;
}

const REASONS: readonly EndReason[] = [
  'client-left',
  'client-silent',
  'client-slow',
  'client-protocol',
  'backend-error',
  'backend-denied',
  'outage',
  'continuity',
  'shutdown',
];

export class Shell {
  readonly links = new Map<LinkId, ShellLink>();
  clientRoute: LinkId | undefined;
  clientPaused = false;
  clientClosed: EndReason | undefined;
  clientOpen = false;
  readonly #session: Session;
  readonly #perform: (effect: Effect) => void;

  /** @param perform what the test itself does with each effect, after it was checked */
  constructor(session: Session, perform: (effect: Effect) => void) {
    this.#session = session;
    this.#perform = perform;
  }

  start(now: number): void {
    this.#apply(this.#session.start(now), now);
  }

  handle(event: SessionEvent, now: number): void {
    this.#note(event);
    const wasEnded = this.#session.ended;
    const effects = this.#session.handle(event, now);
    must(!wasEnded || effects.length === 0, 'effects after the end');
    this.#apply(effects, now);
  }

  /** Callbacks may come late: a link that is over stays so. */
  #note(event: SessionEvent): void {
    if (event.type !== 'link-open' && event.type !== 'link-ended') return;
    const link = this.#link(event.link);
    if (event.type === 'link-ended') link.state = 'over';
    else if (link.state === 'dialing') link.state = 'open';
  }

  #apply(effects: readonly Effect[], now: number): void {
    for (const effect of effects) {
      this.#check(effect);
      this.#perform(effect);
    }
    this.#checkState(now);
  }

  #link(id: LinkId): ShellLink {
    const link = this.links.get(id);
    if (link === undefined) throw new Error(`link ${id} was never dialled`);
    return link;
  }

  #check(effect: Effect): void {
    if (this.clientClosed !== undefined && effect.type !== 'fact') {
      throw new Error(`${effect.type} after the client was closed`);
    }
    switch (effect.type) {
      case 'dial':
        must(!this.links.has(effect.link), `link ${effect.link} is dialled twice`);
        this.links.set(effect.link, { pod: effect.pod, state: 'dialing', route: 'ask', paused: false });
        return;
      case 'send-link':
        return must(this.#link(effect.link).state === 'open', `a frame for link ${effect.link}, which is not open`);
      case 'close-link':
        return this.#closeLink(effect);
      case 'link-route':
        this.#link(effect.link).route = effect.route;
        return;
      case 'pause-link':
        must(this.#link(effect.link).paused !== effect.paused, `link ${effect.link} is paused twice`);
        this.#link(effect.link).paused = effect.paused;
        return;
      case 'client-route':
        must(effect.link === undefined || this.#link(effect.link).state === 'open', 'client-route to a closed link');
        this.clientRoute = effect.link;
        return;
      case 'pause-client':
        must(this.clientPaused !== effect.paused, 'the client is paused twice');
        this.clientPaused = effect.paused;
        return;
      case 'client-open':
        must(!this.clientOpen, 'the client is opened twice');
        this.clientOpen = true;
        return;
      case 'close-client':
        must(REASONS.includes(effect.why), `the reason ${effect.why} is not listed`);
        this.clientClosed = effect.why;
        return;
    }
  }

  #closeLink(effect: Extract<Effect, { type: 'close-link' }>): void {
    const link = this.#link(effect.link);
    link.state = effect.how === 'abort' || link.state === 'over' ? 'over' : 'closing';
  }

  #checkState(now: number): void {
    const { ended, pod } = this.#session;
    must(ended === (this.clientClosed !== undefined), 'the session ends as its client is closed');
    if (ended) return this.#checkEnd();
    const primary = this.clientRoute === undefined ? undefined : this.#link(this.clientRoute);
    must(primary?.pod.id === pod?.id, 'client-route is where the session is');
    for (const [id, link] of this.links) {
      const passes = link.route === 'pass' && link.state === 'open';
      must(!passes || id === this.clientRoute, `link ${id} passes by and is not the primary one`);
    }
    must(!Number.isNaN(this.#session.nextDeadline()?.atMs ?? now), 'a deadline is a number');
  }

  #checkEnd(): void {
    for (const [id, { state }] of this.links) must(state === 'closing' || state === 'over', `link ${id} stays open`);
    must(this.#session.nextDeadline() === undefined, 'nothing is awaited after the end');
  }
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`invariant broken: ${rule}`);
}
