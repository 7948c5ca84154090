import type { RingReport } from './ring-report.ts';

const BAR_COLUMNS = 40;

const percent = (share: number) => `${(share * 100).toFixed(1).padStart(5)} %`;
const bar = (part: number) => '█'.repeat(Math.round(part * BAR_COLUMNS)).padEnd(BAR_COLUMNS, '·');

/** The report for a person. */
export function ringText(report: RingReport): string {
  const { ring, users } = report;
  const head = `ring ${ring.version}: ${ring.pods.length} pods, ${ring.size} points, hashed by ${ring.keyKind}`;
  const owners = users.map(({ user, owners }) => `user ${user}: ${path(owners)}`);
  return `${[head, ...owners, '', ...spread(report.spread), ...without(report.without)].join('\n')}\n`;
}

function path(owners: readonly string[]): string {
  const [owner, ...next] = owners;
  return next.length === 0 ? `owner ${owner}` : `owner ${owner}, then ${next.join(', ')}`;
}

function spread({ users, pods, maxToMean }: RingReport['spread']): string[] {
  const width = Math.max(...pods.map(({ pod }) => pod.length));
  const most = Math.max(...pods.map(({ share }) => share));
  const lines = pods.map(({ pod, share }) => `  ${pod.padEnd(width)} ${bar(share / most)} ${percent(share)}`);
  return [`share of ${users} users (max/mean ${maxToMean.toFixed(3)})`, ...lines];
}

function without(change: RingReport['without']): string[] {
  if (change === undefined) return [];
  const { pods, moved, share, flows, users } = change;
  const width = Math.max(0, ...flows.map(({ from, to }) => `${from} → ${to}`.length));
  const most = flows[0]?.users ?? 1;
  return [
    '',
    `without ${pods.join(', ')}: ${percent(share).trim()} of the users move (${moved})`,
    ...flows.map(({ from, to, users: count }) => `  ${`${from} → ${to}`.padEnd(width)} ${bar(count / most)} ${count}`),
    ...users.map(({ user, owners }) => `user ${user}: ${path(owners)}`),
  ];
}
