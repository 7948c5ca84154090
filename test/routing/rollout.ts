/**
 * What the Deployment and StatefulSet controllers do to the pods of a Service, as a list of topologies in time, and how many users
 * move because of it.
 */
import type { Pod, Topology } from '../../proxy/discovery/index.ts';
import { Membership } from '../../proxy/routing/membership.ts';
import { pod, topology } from './world.ts';

export interface Step {
  readonly atMs: number;
  readonly topology: Topology;
}

export interface Rollout {
  readonly pods: number;
  /** From the start of a pod to its readiness; each pod has one of its own. */
  readonly startMs: (index: number) => number;
}

export interface DeploymentRollout extends Rollout {
  /** Pods beyond `pods` at a time; maxUnavailable is 0. */
  readonly surge: number;
  readonly minReadyMs: number;
}

/** Pods that are draining stay so for the rest of the story: who leaves has left the ring, and nothing else counts here. */
class Story {
  readonly #states = new Map<string, Pod>();
  readonly #due: { readonly atMs: number; readonly what: () => void }[] = [];
  readonly steps: Step[] = [];
  #nowMs = 0;

  set(one: Pod): void {
    this.#states.set(one.name, one);
  }

  after(ms: number, what: () => void): void {
    this.#due.push({ atMs: this.#nowMs + ms, what });
    this.#due.sort((a, b) => a.atMs - b.atMs);
  }

  /** What happens in one moment is one topology. */
  run(): readonly Step[] {
    this.#tell();
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      this.#nowMs = next.atMs;
      next.what();
      if (this.#due[0]?.atMs !== this.#nowMs) this.#tell();
    }
    return this.steps;
  }

  #tell(): void {
    this.steps.push({ atMs: this.#nowMs, topology: topology(...this.#states.values()) });
  }
}

/** New pods start as long as no more than `surge` are not available yet; one that becomes available ends an old one. */
export function deployment({ pods, surge, minReadyMs, startMs }: DeploymentRollout): readonly Step[] {
  const story = new Story();
  const old = Array.from({ length: pods }, (_, index) => `old-${index}`);
  for (const name of old) story.set(pod(name));
  let started = 0;
  const start = () => {
    if (started === pods) return;
    const index = started++;
    story.after(startMs(index), () => {
      story.set(pod(`new-${index}`));
      story.after(minReadyMs, available);
    });
  };
  const available = () => {
    const ended = old.shift();
    if (ended !== undefined) story.set(pod(ended, 'draining'));
    start();
  };
  for (let i = 0; i < surge; i++) start();
  return story.run();
}

/** From the last to the first: each pod ends, and one of the same name starts and becomes ready before the next ends. */
export function statefulSet({ pods, startMs }: Rollout): readonly Step[] {
  const story = new Story();
  const names = Array.from({ length: pods }, (_, index) => `pod-${index}`);
  for (const name of names) story.set(pod(name));
  const replace = () => {
    const name = names.pop();
    if (name === undefined) return;
    story.set(pod(name, 'draining'));
    story.after(startMs(names.length), () => {
      story.set(pod(name, 'serving', `${name} again`));
      replace();
    });
  };
  story.after(1, replace);
  return story.run();
}

/** Changes of owner for each user, from the first step to the end of all waits. */
export function movesPerUser(steps: readonly Step[], admitAfterMs: number, users: number): number {
  const membership = new Membership({ ring: {}, admitAfterMs });
  const owner = (index: number) => {
    const key = membership.ring.owner(`user-${index}`);
    return key === undefined ? undefined : membership.member(key)?.id;
  };
  const owners: (string | undefined)[] = [];
  let moves = 0;
  const look = (isFirst = false) => {
    for (let index = 0; index < users; index++) {
      const now = owner(index);
      if (!isFirst && now !== owners[index]) moves++;
      owners[index] = now;
    }
  };
  for (const [index, { atMs, topology }] of steps.entries()) {
    for (let due = membership.nextDeadline(); due < atMs; due = membership.nextDeadline())
      if (membership.tick(due)) look();
    if (membership.update(topology, atMs) || index === 0) look(index === 0);
  }
  if (membership.tick(Number.POSITIVE_INFINITY)) look();
  return moves / users;
}
