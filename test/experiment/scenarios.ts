/** What happens to the pods while messages flow. Every choice comes from the seed. */
import { nowMs, sleep } from './clock.ts';
import type { Fleet, FleetPod } from './fleet.ts';
import type { Random } from './random.ts';

export interface Stage {
  readonly fleet: Fleet;
  readonly random: Random;
  /** How long messages are sent, from now on. */
  readonly durationMs: number;
}

/** Moments of a scenario that somebody asks for afterwards. */
export interface Marks {
  readonly killedAtMs?: number;
}

export type Scenario = (stage: Stage) => Promise<Marks>;

/** SIGTERM and the change of the EndpointSlice leave the API server together; the slice may be seen first by so much. */
const TERM_AFTER_MAX_MS = 100;
/** A kubelet reports a container that has died within about this time. */
const DEATH_REPORTED_MS = 1000;

export const scenarios = {
  rest: async () => ({}),
  rolling,
  'in-place': inPlace,
  scale,
  unwarned,
  kill,
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const descriptions: Readonly<Record<ScenarioName, string>> = {
  rest: 'nothing happens to the pods',
  rolling: 'every pod is replaced, as a Deployment does it: surge 1, the next step when the new pod is ready',
  'in-place': 'every pod is replaced under its name, as a StatefulSet does it: one ends before the next begins',
  scale: 'two pods more, then three of the five go at once',
  unwarned: 'one pod gets SIGTERM while it is listed as serving; a second after its end it is off the list',
  kill: 'one pod dies by kill -9; a second later it is off the list',
};

/** Nothing happens before messages flow. */
async function leadIn({ random, durationMs }: Stage): Promise<void> {
  await sleep(durationMs * random.between(0.1, 0.2));
}

async function rolling(stage: Stage): Promise<Marks> {
  const { fleet, random } = stage;
  await leadIn(stage);
  const retiring: Promise<void>[] = [];
  for (const old of random.shuffled(fleet.serving)) {
    await fleet.add(1);
    retiring.push(retire(stage, old));
    await sleep(random.between(0, 300));
  }
  await Promise.all(retiring);
  return {};
}

async function inPlace(stage: Stage): Promise<Marks> {
  const { fleet, random } = stage;
  await leadIn(stage);
  // A StatefulSet begins with the highest ordinal.
  for (const old of fleet.serving.toReversed()) {
    await retire(stage, old);
    await sleep(random.between(0, 300));
    fleet.mark('serving', await fleet.start(old.name));
  }
  return {};
}

async function scale(stage: Stage): Promise<Marks> {
  const { fleet, random, durationMs } = stage;
  await leadIn(stage);
  await fleet.add(2);
  await sleep(durationMs * random.between(0.1, 0.3));
  const leaving = random.shuffled(fleet.serving).slice(0, 3);
  await Promise.all(leaving.map((pod) => retire(stage, pod)));
  return {};
}

function kill(stage: Stage): Promise<Marks> {
  return lose(stage, (victim) => victim.process.kill());
}

/** Somebody ends the process, or there is no preStop: what a pod does at SIGTERM is all that its clients get. */
function unwarned(stage: Stage): Promise<Marks> {
  return lose(stage, async (victim) => {
    victim.process.signal('SIGTERM');
    await victim.process.exited;
  });
}

async function lose(stage: Stage, end: (victim: FleetPod) => Promise<unknown>): Promise<Marks> {
  const { fleet, random } = stage;
  await leadIn(stage);
  const victim = random.pick(fleet.serving);
  const killedAtMs = nowMs();
  await end(victim);
  await sleep(DEATH_REPORTED_MS);
  fleet.remove(victim);
  return { killedAtMs };
}

function retire({ fleet, random }: Stage, pod: FleetPod): Promise<void> {
  return fleet.retire(pod, random.between(0, TERM_AFTER_MAX_MS));
}
