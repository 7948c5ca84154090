/** A whole proxy in this process, with a pods file of its own, that ends with its test. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../proxy/config/index.ts';
import { createLog } from '../../proxy/log.ts';
import { serve } from '../../proxy/serve.ts';

export interface PodEntry {
  readonly name: string;
  readonly address: string;
  readonly state?: 'serving' | 'draining';
}

/** One line of the log. */
export type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface ProxyUnderTest {
  /** http://127.0.0.1:PORT */
  readonly http: string;
  /** The admin port. */
  readonly admin: string;
  /** Where clients connect: ws://127.0.0.1:PORT/ws */
  readonly ws: string;
  readonly port: number;
  readonly lines: readonly Line[];
  setPods(pods: readonly PodEntry[]): void;
  /** Makes the pods file unreadable as such. */
  setPodsText(text: string): void;
  /** The first line that fits, among those that are there and those to come. */
  line(fits: (line: Line) => boolean): Promise<Line>;
  /** All of /metrics. */
  scrape(): Promise<string>;
  /** The value of one series of /metrics, e.g. `holdfast_sessions{pod="pod-1"}`; 0 when it is not there. */
  metric(series: string): Promise<number>;
  /** Resolves when the series has this value. */
  metricIs(series: string, value: number): Promise<void>;
  stop(): Promise<void>;
}

/** Waits that tests make on the outside of things: state that has no event. */
export function eventually(check: () => void | Promise<void>, timeoutMs = 10_000): Promise<void> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 10 });
}

/** @param flags as on the command line, behind the ones that every test needs; with --kubernetes the pods go unused */
export async function startProxy(pods: readonly PodEntry[], flags: readonly string[] = []): Promise<ProxyUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  const file = join(folder, 'pods.json');
  const setPodsText = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const setPods = (entries: readonly PodEntry[]) => {
    setPodsText(JSON.stringify(entries.map(({ name, address, state = 'serving' }) => ({ name, address, state }))));
  };
  setPods(pods);
  const story = recorder();
  const running = await serve(
    configFrom(flags.includes('--kubernetes') ? flags : ['--pods-file', file, ...flags]),
    createLog({ level: 'debug', users: false }, story.destination),
  );
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= running.stop();
    return stopped;
  };
  onTestFinished(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  if (pods.length > 0) await story.line(({ msg, serving }) => msg === 'topology changed' && Number(serving) > 0);
  const scrape = async () => (await fetch(`${running.adminUrl}/metrics`)).text();
  const metric = async (series: string) => seriesIn(await scrape(), series);
  const port = Number(new URL(running.listenUrl).port);
  return {
    ...{
      http: running.listenUrl,
      admin: running.adminUrl,
      ws: `ws://127.0.0.1:${port}/ws`,
      port,
      lines: story.lines,
      line: story.line,
    },
    ...{ setPods, setPodsText, scrape, metric, stop },
    metricIs: (series, value) =>
      eventually(async () => {
        const now = await metric(series);
        if (now !== value) throw new Error(`${series} is ${now}, not ${value}`);
      }),
  };
}

export function configFrom(flags: readonly string[]) {
  const given = (flag: string) => flags.includes(flag);
  const argv = [
    ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    ...(given('--user') ? [] : ['--user', 'header:Username']),
    ...flags,
  ];
  const loaded = loadConfig({ argv, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function recorder() {
  const lines: Line[] = [];
  const waiters = new Set<() => void>();
  const write = (text: string) => {
    lines.push(JSON.parse(text) as Line);
    for (const wake of waiters) wake();
  };
  const line = (fits: (line: Line) => boolean) =>
    new Promise<Line>((resolve) => {
      const look = () => {
        const found = lines.find(fits);
        if (found === undefined) return;
        waiters.delete(look);
        resolve(found);
      };
      waiters.add(look);
      look();
    });
  return { lines, line, destination: { write } };
}

function seriesIn(scrape: string, series: string): number {
  const row = scrape.split('\n').find((text) => text.startsWith(`${series} `));
  return row === undefined ? 0 : Number(row.slice(series.length + 1));
}
