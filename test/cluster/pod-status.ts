/** What a kubelet writes of a pod that it runs: its phase, its conditions, its container. */
import { NODE_ADDRESS } from './addresses.ts';
import type { Condition, Pod, PodStatus } from './pod.ts';

export interface Ended {
  readonly exitCode: number;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export type ContainerState =
  | { readonly is: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly is: 'running'; readonly startedAt: string }
  | ({ readonly is: 'terminated' } & Ended);

/** All that the kubelet knows of a pod. Times are RFC 3339. */
export interface PodFacts {
  readonly ip: string;
  readonly startTime: string;
  readonly container: ContainerState;
  readonly ready: boolean;
  readonly restarts: number;
  /** How its container ended the last time. */
  readonly last: Ended | undefined;
  /** The pod will not run again. */
  readonly over: boolean;
}

/** @param before what was written last, for the times at which conditions changed */
export function statusOf({ spec }: Pod, facts: PodFacts, before: PodStatus | undefined, now: string) {
  const [container] = spec.containers;
  const { ip, startTime, ready, restarts, last } = facts;
  const states: [string, boolean][] = [
    ['PodScheduled', true],
    ['PodReadyToStartContainers', !facts.over],
    ['Initialized', true],
    ['ContainersReady', ready],
    ['Ready', ready],
  ];
  return {
    phase: phaseOf(facts),
    ...{ startTime, podIP: ip, podIPs: [{ ip }], hostIP: NODE_ADDRESS, hostIPs: [{ ip: NODE_ADDRESS }] },
    conditions: states.map(([type, holds]) => conditionOf(type, holds, before, now)),
    containerStatuses: [
      {
        ...{ name: container?.name, image: container?.image, imageID: container?.image, ready, restartCount: restarts },
        started: facts.container.is === 'running',
        state: stateOf(facts.container),
        lastState: last === undefined ? {} : { terminated: last },
      },
    ],
  };
}

function phaseOf({ over, container }: PodFacts): NonNullable<PodStatus['phase']> {
  if (over) return container.is === 'terminated' && container.exitCode === 0 ? 'Succeeded' : 'Failed';
  return container.is === 'waiting' ? 'Pending' : 'Running';
}

function conditionOf(type: string, holds: boolean, before: PodStatus | undefined, now: string): Condition {
  const status = holds ? 'True' : 'False';
  const was = before?.conditions?.find((condition) => condition.type === type);
  return { type, status, lastTransitionTime: was?.status === status ? (was.lastTransitionTime ?? now) : now };
}

function stateOf(state: ContainerState) {
  const { is, ...rest } = state;
  return { [is]: rest };
}
