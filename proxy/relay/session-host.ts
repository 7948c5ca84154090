/** The rest of the proxy, as one relay sees it. There is one a session, so it is an object of four fields and no closures. */
import type { Pod } from '../discovery/index.ts';
import type { Fact } from '../session/index.ts';
import type { RelayHost } from './host.ts';
import type { LinkHandlers, LinkSocket, UpgradeTarget } from './ports.ts';

/** Whose relay it is that wants something. */
export interface Who {
  readonly id: number;
  readonly user: string;
}

/** What the switchboard does for its relays: the same object for all of them. */
export interface Services {
  readonly now: () => number;
  readonly dial: (pod: Pod, target: UpgradeTarget, handlers: LinkHandlers) => LinkSocket;
  readonly requestLink: (who: Who, cause: 'open' | 'recovery', attempt: number) => void;
  readonly movedTo: (who: Who, pod: Pod | undefined) => void;
  readonly fact: (who: Who, fact: Fact) => void;
  readonly forwarded: (direction: 'to-client' | 'to-pod', frames: number) => void;
  readonly held: (bytes: number, frames: number) => void;
  readonly isBudgetSpent: () => boolean;
  readonly ended: (who: Who) => void;
  readonly failed: (who: Who, error: unknown) => void;
}

export class SessionHost implements RelayHost, Who {
  readonly id: number;
  readonly user: string;
  readonly #target: UpgradeTarget;
  readonly #services: Services;

  constructor(id: number, user: string, target: UpgradeTarget, services: Services) {
    this.id = id;
    this.user = user;
    this.#target = target;
    this.#services = services;
  }

  now(): number {
    return this.#services.now();
  }

  dial(pod: Pod, handlers: LinkHandlers): LinkSocket {
    return this.#services.dial(pod, this.#target, handlers);
  }

  requestLink(cause: 'open' | 'recovery', attempt: number): void {
    this.#services.requestLink(this, cause, attempt);
  }

  movedTo(pod: Pod | undefined): void {
    this.#services.movedTo(this, pod);
  }

  fact(fact: Fact): void {
    this.#services.fact(this, fact);
  }

  forwarded(direction: 'to-client' | 'to-pod', frames: number): void {
    this.#services.forwarded(direction, frames);
  }

  held(bytes: number, frames: number): void {
    this.#services.held(bytes, frames);
  }

  get isBudgetSpent(): boolean {
    return this.#services.isBudgetSpent();
  }

  ended(): void {
    this.#services.ended(this);
  }

  failed(error: unknown): void {
    this.#services.failed(this, error);
  }
}
