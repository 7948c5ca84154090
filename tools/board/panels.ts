/**
 * What the Grafana board shows: the questions that somebody has who looks at it, and the panels that answer each. In queries
 * `$ns` stands for the chosen namespaces. Labels: `pod` is a proxy, `backend` a pod of the backend.
 */

import { EVENT_LOOP_LOOK_MS } from '../../proxy/metrics.ts';

/** Names of Grafana's units. */
export type Unit = 'short' | 'ops' | 's' | 'bytes' | 'percentunit';

export interface Query {
  readonly expr: string;
  /** What a series is called; `{{label}}` stands for a value. */
  readonly legend: string;
}

interface Common {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  /** Of 24 columns. */
  readonly width: number;
}

/** One number that says whether all is well. */
export interface Stat extends Common {
  readonly kind: 'stat';
  readonly query: Query;
  /** From this value on it is red; never when absent. */
  readonly badFrom?: number;
  /** From this value on it is orange. */
  readonly oddFrom?: number;
}

/** How something went over time. */
export interface Graph extends Common {
  readonly kind: 'graph';
  readonly queries: readonly Query[];
  /** The series add up to something. */
  readonly stacked?: boolean;
}

export type Panel = Stat | Graph;

export interface Question {
  readonly question: string;
  readonly panels: readonly Panel[];
}

const FAILURES = 'reason=~"outage|continuity|internal"';

export const questions: readonly Question[] = [
  {
    question: 'Are clients closed?',
    panels: [
      {
        ...{ kind: 'stat', title: 'Clients', unit: 'short', width: 4 },
        description: 'Open connections of clients at all proxies.',
        query: { expr: 'sum(holdfast_clients{$ns})', legend: 'clients' },
      },
      {
        ...{ kind: 'stat', title: 'Closed by a failure', unit: 'short', width: 4, badFrom: 0.5 },
        description: 'Clients that Holdfast had to close in the chosen time: outage, continuity, internal. Must be 0.',
        query: { expr: `sum(increase(holdfast_client_closes_total{$ns,${FAILURES}}[$__range]))`, legend: 'closed' },
      },
      {
        ...{ kind: 'graph', title: 'Sessions that ended', unit: 'ops', width: 16, stacked: true },
        description: 'By who or what ended them. client-left is everyday life; shutdown is a proxy that ends.',
        queries: [
          {
            expr: 'sum by (reason) (rate(holdfast_client_closes_total{$ns}[$__rate_interval]))',
            legend: '{{reason}}',
          },
        ],
      },
    ],
  },
  {
    question: 'Is anything lost?',
    panels: [
      {
        ...{ kind: 'stat', title: 'Lost', unit: 'short', width: 4, badFrom: 0.5 },
        description: 'Numbered messages that never came, in the chosen time. Must be 0.',
        query: { expr: 'sum(increase(holdfast_sequence_lost_total{$ns}[$__range]))', legend: 'lost' },
      },
      {
        ...{ kind: 'stat', title: 'Twice or swapped', unit: 'short', width: 4, badFrom: 0.5 },
        description: 'Numbered messages that came twice or after a later one, in the chosen time. Must be 0.',
        query: {
          expr: 'sum(increase(holdfast_sequence_duplicated_total{$ns}[$__range])) + sum(increase(holdfast_sequence_reordered_total{$ns}[$__range]))',
          legend: 'twice or swapped',
        },
      },
      {
        ...{ kind: 'stat', title: 'Gaps unproven', unit: 'short', width: 4, oddFrom: 0.5 },
        description:
          'Moves of which nobody can prove that nothing was lost, as their clients were told. Crashes of pods make them, and every move of Spring’s simple broker.',
        query: { expr: 'sum(increase(holdfast_gaps_total{$ns,continuity="unproven"}[$__range]))', legend: 'unproven' },
      },
      {
        ...{ kind: 'graph', title: 'Messages of producers', unit: 'ops', width: 12, stacked: true },
        description: 'At the gateways, by what became of them. offline is a user without a client.',
        queries: [
          {
            expr: 'sum by (status) (rate(holdfast_gateway_messages_total{$ns}[$__rate_interval]))',
            legend: '{{status}}',
          },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Lost, twice, swapped', unit: 'ops', width: 12 },
        description: 'The same as the numbers above, over time.',
        queries: [
          { expr: 'sum(rate(holdfast_sequence_lost_total{$ns}[$__rate_interval]))', legend: 'lost' },
          { expr: 'sum(rate(holdfast_sequence_duplicated_total{$ns}[$__rate_interval]))', legend: 'twice' },
          { expr: 'sum(rate(holdfast_sequence_reordered_total{$ns}[$__rate_interval]))', legend: 'swapped' },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Frames passed on', unit: 'ops', width: 12 },
        description: 'To clients and to pods, and repeats that were dropped by their id.',
        queries: [
          {
            expr: 'sum by (direction) (rate(holdfast_messages_total{$ns}[$__rate_interval]))',
            legend: '{{direction}}',
          },
          { expr: 'sum(rate(holdfast_duplicates_dropped_total{$ns}[$__rate_interval]))', legend: 'repeats dropped' },
        ],
      },
    ],
  },
  {
    question: 'Where are the sessions?',
    panels: [
      {
        ...{ kind: 'stat', title: 'Without a pod', unit: 'short', width: 4, oddFrom: 1 },
        description: 'Sessions that are held because they have no pod at this moment.',
        query: { expr: 'sum(holdfast_sessions{$ns,backend=""}) or vector(0)', legend: 'without a pod' },
      },
      {
        ...{ kind: 'stat', title: 'List of pods out of date', unit: 's', width: 4, oddFrom: 10, badFrom: 60 },
        description:
          'For how long the worst proxy has not known whether its list of pods is right; 0 while all is well.',
        query: { expr: 'max(holdfast_topology_stale_seconds{$ns})', legend: 'out of date' },
      },
      {
        ...{ kind: 'graph', title: 'Pods of the backend', unit: 'short', width: 8 },
        description: 'By state, as the proxies see them.',
        queries: [{ expr: 'max by (state) (holdfast_pods{$ns})', legend: '{{state}}' }],
      },
      {
        ...{ kind: 'graph', title: 'Clients at each proxy', unit: 'short', width: 8, stacked: true },
        description: 'Proxies that were added get new clients only.',
        queries: [{ expr: 'sum by (pod) (holdfast_clients{$ns})', legend: '{{pod}}' }],
      },
      {
        ...{ kind: 'graph', title: 'Sessions at each pod', unit: 'short', width: 24, stacked: true },
        description: 'By the pod of the backend that has them. A rollout shows as bands that end and bands that begin.',
        queries: [
          { expr: 'sum by (backend) (holdfast_sessions{$ns,backend!=""})', legend: '{{backend}}' },
          { expr: 'sum(holdfast_sessions{$ns,backend=""}) or vector(0)', legend: 'without a pod' },
        ],
      },
    ],
  },
  {
    question: 'How does this rollout go?',
    panels: [
      {
        ...{ kind: 'stat', title: 'Moves per user', unit: 'short', width: 4, oddFrom: 2.05 },
        description:
          'In the chosen time: choose the span of one rollout. 1 is ideal, 1.5 to 2 is what surge 1 takes, more is flapping.',
        query: {
          expr: 'sum(increase(holdfast_moves_total{$ns}[$__range])) / sum(avg_over_time(holdfast_clients{$ns}[$__range]))',
          legend: 'moves per user',
        },
      },
      {
        ...{ kind: 'stat', title: 'Handovers that failed', unit: 'short', width: 4, oddFrom: 0.5 },
        description: 'Their sessions stayed where they were, and try again. Many of them: pause the rollout.',
        query: { expr: 'sum(increase(holdfast_handovers_total{$ns,outcome="kept"}[$__range]))', legend: 'kept' },
      },
      {
        ...{ kind: 'stat', title: 'Sessions dropped again', unit: 'short', width: 4, oddFrom: 0.5 },
        description:
          'Links that pods took and ended within 10 s, from a session’s second one on; each is a gap. Many of them: undo the rollout.',
        query: { expr: 'sum(increase(holdfast_bounces_total{$ns}[$__range]))', legend: 'dropped' },
      },
      {
        ...{ kind: 'stat', title: 'Rings in force', unit: 'short', width: 4, oddFrom: 1.5 },
        description: 'More than 1 while proxies move sessions; 1 when the rollout’s last step is done everywhere.',
        query: { expr: 'count(count by (version) (holdfast_ring_info{$ns}))', legend: 'rings' },
      },
      {
        ...{ kind: 'graph', title: 'Moves', unit: 'ops', width: 8 },
        description:
          'By outcome. done: planned. recovered: after a lost link. kept: failed, the session stayed. lost: the session ended.',
        queries: [
          {
            expr: 'sum by (outcome) (rate(holdfast_handovers_total{$ns}[$__rate_interval]))',
            legend: '{{outcome}}',
          },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Sessions that wait for their move', unit: 'short', width: 12 },
        description: 'Must come down to 0 before the old pods get SIGTERM: that is what preStop is for.',
        queries: [
          { expr: 'sum(holdfast_governor_queue{$ns})', legend: 'waiting' },
          { expr: 'sum(holdfast_governor_in_flight{$ns})', legend: 'on their way' },
        ],
      },
      {
        ...{ kind: 'graph', title: 'What clients notice of a move', unit: 's', width: 12 },
        description:
          'How long a frame was held by a handover, and how long a session was without a pod after a lost link.',
        queries: [
          { expr: quantile(0.5, 'holdfast_handover_gap_seconds'), legend: 'handover, half of them' },
          { expr: quantile(0.99, 'holdfast_handover_gap_seconds'), legend: 'handover, 99 %' },
          { expr: quantile(0.99, 'holdfast_recovery_gap_seconds'), legend: 'recovery, 99 %' },
        ],
      },
    ],
  },
  {
    question: 'How are the proxies?',
    panels: [
      {
        ...{ kind: 'graph', title: 'Event loop, 99 %', unit: 's', width: 8 },
        description: 'How late the event loop of each proxy is; every client waits as long.',
        queries: [
          {
            // The time between two looks, which is that long when nothing is late.
            expr: `clamp_min((${ofProxies('nodejs_eventloop_lag_p99_seconds')}) - ${EVENT_LOOP_LOOK_MS / 1000}, 0)`,
            legend: '{{pod}}',
          },
        ],
      },
      {
        ...{ kind: 'graph', title: 'CPU', unit: 'percentunit', width: 8 },
        description: 'Of one core: a proxy is one thread, so 100 % is all that it can use.',
        queries: [{ expr: ofProxies('rate(process_cpu_seconds_total{$ns}[$__rate_interval])'), legend: '{{pod}}' }],
      },
      {
        ...{ kind: 'graph', title: 'Memory', unit: 'bytes', width: 8 },
        description: 'RSS of each proxy, and what all of them hold for clients.',
        queries: [
          { expr: ofProxies('process_resident_memory_bytes'), legend: '{{pod}}' },
          { expr: 'sum(holdfast_held_bytes{$ns})', legend: 'held for clients' },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Bounds', unit: 'percentunit', width: 8 },
        description: 'How much of its bounds the fullest proxy has used.',
        queries: [
          { expr: 'max(holdfast_clients{$ns} / holdfast_clients_max{$ns})', legend: 'sessions' },
          { expr: 'max(holdfast_held_bytes{$ns} / holdfast_held_bytes_max{$ns})', legend: 'held bytes' },
          {
            expr: `max(${ofProxies('process_open_fds{$ns} / process_max_fds{$ns}')})`,
            legend: 'file descriptors',
          },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Gateway', unit: 's', width: 8 },
        description: 'From a producer’s request to its answer.',
        queries: [
          { expr: quantile(0.5, 'holdfast_gateway_seconds'), legend: 'half of them' },
          { expr: quantile(0.99, 'holdfast_gateway_seconds'), legend: '99 %' },
        ],
      },
      {
        ...{ kind: 'graph', title: 'Turned away', unit: 'ops', width: 8 },
        description:
          'Clients without a right to come, frames that no STOMP client may send, lines of the log that nobody read.',
        queries: [
          { expr: 'sum(rate(holdfast_auth_denied_total{$ns}[$__rate_interval])) or vector(0)', legend: 'denied' },
          {
            expr: 'sum(rate(holdfast_protocol_errors_total{$ns}[$__rate_interval])) or vector(0)',
            legend: 'protocol errors',
          },
          { expr: 'sum(rate(holdfast_log_lines_lost_total{$ns}[$__rate_interval]))', legend: 'log lines lost' },
        ],
      },
    ],
  },
];

function quantile(q: number, name: string): string {
  return `histogram_quantile(${q}, sum by (le) (rate(${name}_bucket{$ns}[$__rate_interval])))`;
}

/** Metrics of Node and of processes are those of every program that Prometheus knows; these are the proxies'. */
function ofProxies(expr: string): string {
  const selected = expr.includes('$ns') ? expr : `${expr}{$ns}`;
  return `${selected} and on (namespace, pod) holdfast_clients{$ns}`;
}
