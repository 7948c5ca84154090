/** The rows of the comparison. */
import { FIGURE } from '../parts/index.ts';

export interface Row {
  readonly part: string;
  readonly figure: string;
  readonly title: string;
  readonly better: 'less' | 'more';
}

const row = (part: string, figure: string, title: string, better: Row['better'] = 'less'): Row => ({
  ...{ part, figure, title, better },
});

/** What a proxy costs: these are drawn, too. */
export const COSTS: readonly Row[] = [
  row('push-5000', FIGURE.cpu, 'push 5,000/s, CPU µs a message'),
  row('push-20000', FIGURE.cpu, 'push 20,000/s, CPU µs a message'),
  row('echo', FIGURE.cpu, 'echo, CPU µs a message'),
  row('flood', FIGURE.perCpuSecond, 'flood, messages a CPU-second', 'more'),
  row('sessions', FIGURE.rss, 'RSS KiB an idle session'),
  row('sessions', FIGURE.connect, 'CPU µs a connect'),
];

/** Wall clock: on a busy machine the machine's, not the proxy's. */
export const DELAYS: readonly Row[] = ['push-5000', 'push-20000'].flatMap((part) =>
  [FIGURE.added, FIGURE.p50, FIGURE.p99, FIGURE.p999].map((figure) => row(part, figure, `${part}, ${figure}`)),
);
