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

/** A row that is drawn, too. */
export interface Cost extends Row {
  /** Of the file, without its end. */
  readonly plot: string;
}

/** What a proxy costs. */
export const COSTS: readonly Cost[] = [
  { ...row('push-5000', FIGURE.cpu, 'push 5,000/s, CPU µs a message'), plot: 'push-5000' },
  { ...row('push-20000', FIGURE.cpu, 'push 20,000/s, CPU µs a message'), plot: 'push-20000' },
  { ...row('echo', FIGURE.cpu, 'echo, CPU µs a message'), plot: 'echo' },
  { ...row('flood', FIGURE.perCpuSecond, 'flood, messages a CPU-second', 'more'), plot: 'flood' },
  { ...row('sessions', FIGURE.rss, 'RSS KiB an idle session'), plot: 'idle-session' },
  { ...row('sessions', FIGURE.connect, 'CPU µs a connect'), plot: 'connect' },
];

/** Wall clock: on a busy machine the machine's, not the proxy's. */
export const DELAYS: readonly Row[] = [
  ...['push-5000', 'push-20000'].flatMap((part) =>
    [FIGURE.added, FIGURE.p50, FIGURE.p99, FIGURE.p999].map((figure) => row(part, figure, `${part}, ${figure}`)),
  ),
  ...['push-5000', 'push-20000', 'echo', 'flood'].map((part) =>
    row(part, FIGURE.loopDelay, `${part}, ${FIGURE.loopDelay}`),
  ),
];
