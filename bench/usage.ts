/**
 * What a program costs, as the kernel counts it: CPU time, memory, and how long it had to wait for its core. Linux only (proc(5)).
 * Children and their threads are part of it, as a proxy may have workers.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** CPU time in ms: user and system are counted in ticks of 10 ms. */
  readonly userMs: number;
  readonly systemMs: number;
  /** The sum of both to the nanosecond. */
  readonly cpuMs: number;
  /** Ready to run, but something else had the core. */
  readonly waitMs: number;
  readonly rssBytes: number;
}

/** USER_HZ: the unit of /proc/PID/stat on every architecture that Node runs on. */
const TICK_MS = 10;
const NS_PER_MS = 1e6;
const PAGE_BYTES = 4096;
/** Fields of /proc/PID/stat behind the name in brackets, from 0. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

export function usageOf(pid: number): Usage {
  return treeOf(pid).map(usageOfOne).reduce(add);
}

/** What was used between two looks; memory is that of the later one. */
export function between(before: Usage, after: Usage): Usage {
  return {
    userMs: after.userMs - before.userMs,
    systemMs: after.systemMs - before.systemMs,
    cpuMs: after.cpuMs - before.cpuMs,
    waitMs: after.waitMs - before.waitMs,
    rssBytes: after.rssBytes,
  };
}

/** Lets a program with all its threads and children run on these cores only, written as taskset(1) takes it: 0 or 1-3. */
export function pin(pid: number, cores: string): void {
  for (const each of treeOf(pid)) execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(each)]);
}

/** The process and all its descendants. */
function treeOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) => words(read(`/proc/${pid}/task/${thread}/children`)));
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`);
}

function usageOfOne(pid: number): Usage {
  const stat = read(`/proc/${pid}/stat`);
  const fields = words(stat.slice(stat.lastIndexOf(')') + 1));
  const run = threadsOf(pid).map((thread) => words(read(`/proc/${pid}/task/${thread}/schedstat`)).map(Number));
  const sum = (index: number) => run.reduce((total, thread) => total + (thread[index] ?? 0), 0) / NS_PER_MS;
  return {
    userMs: Number(fields[USER_FIELD]) * TICK_MS,
    systemMs: Number(fields[SYSTEM_FIELD]) * TICK_MS,
    cpuMs: sum(0),
    waitMs: sum(1),
    rssBytes: Number(words(read(`/proc/${pid}/statm`))[1]) * PAGE_BYTES,
  };
}

function add(a: Usage, b: Usage): Usage {
  return {
    userMs: a.userMs + b.userMs,
    systemMs: a.systemMs + b.systemMs,
    cpuMs: a.cpuMs + b.cpuMs,
    waitMs: a.waitMs + b.waitMs,
    rssBytes: a.rssBytes + b.rssBytes,
  };
}

/** '' for a thread that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
