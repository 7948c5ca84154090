/** What can happen to a world. `pick` and `ms` of the plan say to whom and for how long. */
import { SimClient } from './client.ts';
import type { Fault, FaultKind } from './plan.ts';
import { BUSY, DROPPED, type SimPod, UNREACHABLE } from './pods.ts';
import type { Wire } from './wire.ts';
import type { World } from './world.ts';

type Act = (world: World, fault: Fault) => void;

const onPod =
  (act: (world: World, pod: SimPod, fault: Fault) => void): Act =>
  (world, fault) => {
    const pod = picked(world.pods, fault.pick);
    if (pod !== undefined) act(world, pod, fault);
  };

const onClient =
  (act: (world: World, client: SimClient, fault: Fault) => void): Act =>
  (world, fault) => {
    const living = world.clients.filter(({ isOver }) => !isOver);
    const client = picked(living, fault.pick);
    if (client !== undefined) act(world, client, fault);
  };

const onWire =
  (act: (world: World, pod: SimPod, wire: Wire, fault: Fault) => void): Act =>
  (world, fault) => {
    const wires = world.pods.flatMap((pod) => [...pod.wires].map((wire) => ({ pod, wire })));
    const one = picked(wires, fault.pick);
    if (one !== undefined) act(world, one.pod, one.wire, fault);
  };

/** A setting that is wrong for so long. */
const forAWhile = (act: (pod: SimPod, isOn: boolean, fault: Fault) => void): Act =>
  onPod(({ agenda }, pod, fault) => {
    act(pod, true, fault);
    agenda.after(fault.ms, () => act(pod, false, fault));
  });

export const ACTS: Readonly<Record<FaultKind, Act>> = {
  drain: onPod((world, pod) => drain(world, pod)),
  join: (world) => join(world),
  unready: onPod((world, pod, { ms }) => flap(world, pod, [ms])),
  flap: onPod((world, pod, { ms }) => flap(world, pod, [ms / 8, ms / 7, ms / 9, ms / 6, ms / 5])),
  refuse: forAWhile((pod, isOn, { ms }) => {
    const how = Math.floor(ms) % 2 === 0 ? BUSY : UNREACHABLE;
    pod.refuses = isOn ? how : undefined;
  }),
  'fail-replay': forAWhile((pod, isOn) => {
    pod.failsReplay = isOn;
  }),
  drop: forAWhile((pod, isOn) => {
    pod.drops = isOn;
    if (isOn) for (const wire of [...pod.wires]) pod.close(wire, DROPPED);
  }),
  stutter: forAWhile((pod, isOn) => {
    pod.stutters = isOn;
  }),
  'slow-connect': onPod(({ agenda }, pod, { ms }) => {
    pod.connectMs = ms;
    agenda.after(2 * ms, () => {
      pod.connectMs = 0;
    });
  }),
  'move-slice': onPod((world, pod, { pick, ms }) => world.feed.shuffle(pod, (pick * 10) % 1 < 0.5, ms / 5)),
  'stale-slice': onPod((world, pod, { ms }) => {
    if (pod.state !== 'serving' || world.pods.length < 2) return;
    world.feed.strand(pod);
    world.agenda.after(ms / 5, () => drain(world, pod));
  }),
  'late-topology': (world, { ms }) => world.feed.late(ms),
  'lost-topology': (world, { ms }) => world.feed.lose(ms),
  'repeat-topology': (world) => world.feed.repeat(),
  'freeze-short': (world, { ms }) => freeze(world, ms / 8),
  freeze: (world, { ms }) => freeze(world, ms),
  lag: (world, { ms }) => lag(world, ms),
  'slow-reader': onClient((_, client, { ms }) => client.sleep(ms)),
  newcomer: onClient((world, { user }) => {
    if (world.routing.sessionsOf(user) < 3) world.addClient(user);
  }),
  leave: onClient((world, client) => {
    world.allowEnd(client, 'client-left');
    client.send('DISCONNECT receipt:bye');
  }),
  vanish: onClient((world, client) => {
    world.allowEnd(client, 'client-left');
    client.vanish();
  }),
  crash: onPod((world, pod, { ms }) => crash(world, pod, false, ms)),
  'crash-silent': onPod((world, pod, { ms }) => crash(world, pod, true, ms)),
  'crash-in-handover': (world, { pick, ms }) => ambush(world, pick < 0.5, (pick * 10) % 1 < 0.3, ms),
  reset: onWire((_world, _pod, wire) => wire.reset({ kind: 'closed', code: 1006, reason: '' })),
  'half-open': onWire((_world, _pod, wire) => wire.halfOpen()),
  stall: onPod((_, pod, { ms }) => pod.stall(ms)),
  error: onWire((world, pod, wire) => {
    mayFail(world, wire);
    pod.fail(wire, 'you did something wrong', 1002);
  }),
  'pod-trouble': onWire((_, pod, wire) => pod.fail(wire, 'Session closed.', 1002)),
  close: onWire((world, pod, wire, { ms }) => close(world, pod, wire, ms)),
  outage: (world, { ms }) => outage(world, ms),
};

function picked<T>(items: readonly T[], pick: number): T | undefined {
  return items[Math.floor(pick * items.length)];
}

function drain(world: World, pod: SimPod): void {
  if (pod.state === 'draining' || world.pods.length < 2) return;
  world.log(() => `pod ${pod.uid} is draining`);
  pod.state = 'draining';
  world.feed.changed();
  leaveWhenEmpty(world, pod);
  world.agenda.after(GRACE_MS, () => endGrace(world, pod));
}

/** Longer than all that can hold up a move: events that come late, pods that refuse, suspicion, the drain of links. */
const GRACE_MS = 20_000;

/** Its orchestrator does not wait for ever. */
function endGrace(world: World, pod: SimPod): void {
  if (!world.pods.includes(pod) || world.pods.length < 2) return;
  world.log(() => `pod ${pod.uid} has no time left`);
  pod.crash(false);
  world.removePod(pod);
  world.feed.changed();
}

/** A pod that drains leaves when nobody is there any more. */
function leaveWhenEmpty(world: World, pod: SimPod): void {
  world.agenda.after(200, () => {
    if (!world.pods.includes(pod)) return;
    if (pod.wires.size > 0 || world.pods.length < 2) return leaveWhenEmpty(world, pod);
    world.log(() => `pod ${pod.uid} leaves`);
    world.removePod(pod);
    world.feed.changed();
  });
}

export function join(world: World): void {
  const name = [0, 1, 2, 3, 4].map((i) => `pod-${i}`).find((free) => !world.pods.some((pod) => pod.name === free));
  if (name === undefined) return;
  world.addPod(name);
  world.feed.changed();
}

/** Not ready, ready, not ready …; each state for so long, serving at the end. */
function flap(world: World, pod: SimPod, times: readonly number[]): void {
  const [ms, ...rest] = times;
  if (pod.state === 'draining') return;
  pod.state = ms === undefined ? 'serving' : pod.state === 'serving' ? 'unready' : 'serving';
  world.log(() => `pod ${pod.uid} is ${pod.state}`);
  world.feed.changed();
  if (ms !== undefined) world.agenda.after(ms, () => flap(world, pod, rest));
}

function freeze(world: World, ms: number): void {
  world.log(() => `the proxy does not run for ${ms.toFixed()} ms`);
  world.frozenUntilMs = Math.max(world.frozenUntilMs, world.agenda.now + ms);
}

/** Messages without numbers need a quick network; there the lag is left out. */
function lag(world: World, ms: number): void {
  if (!world.numbers) return;
  world.latencyMs = 60;
  world.agenda.after(ms, () => {
    world.latencyMs = world.plan.latencyMs;
  });
}

/** The orchestrator notices after a while, and mostly starts the pod again. */
export function crash(world: World, pod: SimPod, isSilent: boolean, ms: number): void {
  if (!pod.isAlive) return;
  world.log(() => `pod ${pod.uid} crashes${isSilent ? ' silently' : ''}`);
  pod.crash(isSilent);
  world.agenda.after(ms, () => {
    if (!world.pods.includes(pod)) return;
    world.removePod(pod);
    if (ms % 3 !== 0 || world.pods.length === 0) world.addPod(pod.name);
    world.feed.changed();
  });
}

/** One of the two pods of the next handover crashes in the middle of it. */
function ambush(world: World, isFrom: boolean, isSilent: boolean, ms: number): void {
  world.ambushes.push((from, to) => {
    const pod = world.podOfUid(isFrom ? from : to);
    world.agenda.after(ms / 10, () => {
      if (pod !== undefined) crash(world, pod, isSilent, ms);
    });
  });
}

function mayFail(world: World, { listener }: Wire): void {
  if (listener instanceof SimClient) world.allowEnd(listener, 'backend-error');
}

/** What pods close with; the last two are the application's own word. */
const CODES = [1000, 1001, 1002, 1011, 1012, 1013, 4500, 1008, 4001] as const;

function close(world: World, pod: SimPod, wire: Wire, ms: number): void {
  const code = CODES[ms % CODES.length] ?? 1000;
  if (code === 1008 || code === 4001) mayFail(world, wire);
  world.log(() => `pod ${pod.uid} closes a link with ${code}`);
  pod.close(wire, code);
}

/** An outage this long may be longer than a session is kept: suspicions and back-off come on top of it. */
const LONG_OUTAGE_MS = 12_000;

function outage(world: World, ms: number): void {
  world.log(() => `all pods are away for ${ms} ms`);
  if (ms >= LONG_OUTAGE_MS) world.mayEndBy.add('outage');
  for (const pod of world.pods) {
    pod.crash(false);
    world.agenda.after(ms, () => {
      if (!world.pods.includes(pod)) return;
      world.removePod(pod);
      world.addPod(pod.name);
      world.feed.changed();
    });
  }
}
