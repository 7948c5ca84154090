/**
 * When may all processes of the proxy follow a new ring?
 *
 * Each of them says for which target it is ready: all its sessions are at their owners, or were waited for long enough
 * (routing/commitment.ts). The ring is committed when all that live are ready for the same one. One that ends is waited for no
 * longer, since its sessions are gone; one that is stuck is left behind `commitMaxMs` after the first was ready.
 * Pure: time comes in as an argument.
 */

/** Any process, the primary among them: its rings are what producers follow. */
type Member = number;

export class CommitGate {
  readonly #commitMaxMs: number;
  readonly #ready = new Map<Member, string | undefined>();
  #committed: string | undefined;
  /** Since when a target has had a process that is ready for it. */
  readonly #sinceMs = new Map<string, number>();

  constructor(commitMaxMs: number) {
    this.#commitMaxMs = commitMaxMs;
  }

  /** The version that was committed last. */
  get committed(): string | undefined {
    return this.#committed;
  }

  /** A process that serves from now on; nothing is committed without it. */
  joins(member: Member): void {
    this.#ready.set(member, undefined);
  }

  /** It is ready to commit this version, or (undefined) none. */
  ready(member: Member, version: string | undefined, now: number): void {
    if (!this.#ready.has(member)) return;
    this.#ready.set(member, version);
    this.#note(now);
  }

  leaves(member: Member, now: number): void {
    this.#ready.delete(member);
    this.#note(now);
  }

  /**
   * The version that is to be committed now, if there is one: told once. The processes are to be told, and also whoever is
   * ready for what is committed already (`isBehind`).
   */
  decide(now: number): string | undefined {
    const version = this.#next(now);
    if (version === undefined) return undefined;
    this.#committed = version;
    this.#note(now);
    return version;
  }

  /** When a stuck process is left behind; Infinity when nobody waits. */
  nextDeadline(): number {
    return Math.min(...this.#sinceMs.values()) + this.#commitMaxMs;
  }

  #next(now: number): string | undefined {
    for (const [version, sinceMs] of this.#sinceMs) {
      const isWhole = [...this.#ready.values()].every((ready) => ready === version);
      if (isWhole || now >= sinceMs + this.#commitMaxMs) return version;
    }
    return undefined;
  }

  /** Targets that somebody is ready for and that are not committed. */
  #note(now: number): void {
    const wanted = new Set([...this.#ready.values()].filter((version) => version !== undefined));
    if (this.#committed !== undefined) wanted.delete(this.#committed);
    for (const version of this.#sinceMs.keys()) if (!wanted.has(version)) this.#sinceMs.delete(version);
    for (const version of wanted) if (!this.#sinceMs.has(version)) this.#sinceMs.set(version, now);
  }
}
