import { nearest } from '../config/index.ts';
import type { ExitCode, Host } from './host.ts';
import { type RingQuestion, type RingReport, ringReport } from './ring-report.ts';
import { ringText } from './ring-text.ts';

/** As commander gives the options of `holdfast ring`. */
export interface RingFlags {
  readonly pods: readonly string[];
  readonly without: readonly string[];
  readonly user: readonly string[];
  readonly users: number;
  readonly keyKind: 'name' | 'address';
  readonly size?: number;
  readonly pointsPerPod?: number;
  readonly json: boolean;
}

/** `holdfast ring` */
export function ringCommand(flags: RingFlags, host: Host): ExitCode {
  const problems = problemsOf(flags);
  let report: RingReport | undefined;
  try {
    if (problems.length === 0) report = ringReport(question(flags));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push(error.message);
  }
  for (const problem of problems) host.stderr.write(`holdfast ring: ${problem}\n`);
  if (report === undefined) return 2;
  host.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : ringText(report));
  return 0;
}

function question({ pods, user, users, without, keyKind, size, pointsPerPod }: RingFlags): RingQuestion {
  return { pods, users: user, sample: users, without, options: { keyKind, size, pointsPerPod } };
}

function problemsOf({ pods, without }: RingFlags): string[] {
  const problems = without.filter((pod) => !pods.includes(pod)).map((pod) => unknownPod(pod, pods));
  for (const pod of new Set(pods.filter((name, index) => pods.indexOf(name) < index)))
    problems.push(`--pods names ${pod} twice; each pod is on the ring once`);
  if (pods.every((pod) => without.includes(pod))) problems.push('--without leaves no pod; nobody would own anything');
  return problems;
}

function unknownPod(pod: string, pods: readonly string[]): string {
  const near = nearest(pod, pods);
  return `--without ${pod}: --pods has no such pod${near === undefined ? '' : `; did you mean ${near}?`}`;
}
