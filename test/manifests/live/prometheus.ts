/** A real Prometheus that scrapes what it is told to, with the relabelling of the PodMonitor and the alerts of the PrometheusRule. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../cluster/free-port.ts';
import { foreignProgram } from '../../experiment/child.ts';
import { find, render } from './render.ts';
import type { Rules } from './rules.ts';

/** One process to scrape, as the Prometheus Operator would name it. */
export interface Target {
  /** HOST:PORT */
  readonly address: string;
  /** Of the proxy: it stays when the container restarts. */
  readonly pod: string;
}

/** One sample: [seconds since 1970, value as text]. */
type Sample = readonly [number, string];

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** The last value. */
  readonly value: number;
}

export interface Prometheus {
  /** What it scrapes from now on. */
  scrape(targets: readonly Target[]): void;
  /** An instant query; a scalar is one series without labels. */
  query(expr: string): Promise<Series[]>;
  /** Rejects with Prometheus' own words when it cannot read the expression. */
  series(expr: string, seconds: number): Promise<readonly { readonly values: readonly Sample[] }[]>;
  stop(): Promise<void>;
}

export const NAMESPACE = 'chat';
/** Fifteen seconds in the PodMonitor; a test cannot wait so long. */
const EVERY = '1s';

export async function startPrometheus(rules: Rules, targets: readonly Target[]): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-prometheus-'));
  const targetsFile = join(directory, 'targets.json');
  const scrape = (targets: readonly Target[]) => {
    writeFileSync(`${targetsFile}.new`, JSON.stringify(targets.map(targetOf)));
    renameSync(`${targetsFile}.new`, targetsFile);
  };
  scrape(targets);
  writeFileSync(join(directory, 'rules.yaml'), stringify(rules));
  writeFileSync(join(directory, 'prometheus.yaml'), stringify(configuration(targetsFile)));
  const address = `127.0.0.1:${await freePort()}`;
  const process = foreignProgram('Prometheus', 'prometheus', [
    ...['--config.file', join(directory, 'prometheus.yaml'), '--storage.tsdb.path', join(directory, 'data')],
    ...['--web.listen-address', address],
  ]);
  await process.line((line) => line.includes('Server is ready to receive web requests') || undefined);
  const ask = (path: string, query: Record<string, string>) => answerOf(`http://${address}/api/v1/${path}`, query);
  return {
    scrape,
    query: async (expr) => (await ask('query', { query: expr })).map(seriesOf),
    series: async (expr, seconds) => {
      const end = Date.now() / 1000;
      return ask('query_range', { query: expr, start: String(end - seconds), end: String(end), step: '1' });
    },
    stop: async () => {
      await process.kill();
      rmSync(directory, { recursive: true });
    },
  };
}

function configuration(targetsFile: string): object {
  return {
    global: { scrape_interval: EVERY, scrape_timeout: EVERY, evaluation_interval: EVERY },
    rule_files: ['rules.yaml'],
    scrape_configs: [
      {
        job_name: 'chat/holdfast',
        file_sd_configs: [{ files: [targetsFile], refresh_interval: EVERY }],
        metric_relabel_configs: relabellings(),
      },
    ],
  };
}

/** The PodMonitor's, as the Prometheus Operator hands them to Prometheus: the same in snake case. */
function relabellings(): object[] {
  const monitor = find(render('overlays/spring'), 'PodMonitor', 'holdfast');
  const { podMetricsEndpoints } = monitor['spec'] as {
    podMetricsEndpoints: { metricRelabelings: Record<string, unknown>[] }[];
  };
  return podMetricsEndpoints.flatMap(({ metricRelabelings }) => metricRelabelings.map(inSnakeCase));
}

function inSnakeCase(keys: Record<string, unknown>): object {
  const snake = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [snake(key), value]));
}

/** The operator gives these labels to what a PodMonitor finds; `instance` is the pod's address, which a restart does not change. */
function targetOf({ address, pod }: Target): object {
  return { targets: [address], labels: { namespace: NAMESPACE, pod, container: 'holdfast', instance: `${pod}:9090` } };
}

interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: Sample;
  readonly values: readonly Sample[];
}

async function answerOf(url: string, query: Record<string, string>): Promise<Result[]> {
  const response = await fetch(`${url}?${new URLSearchParams(query)}`);
  const { status, error, data } = (await response.json()) as {
    status: string;
    error?: string;
    data: { resultType: string; result: Result[] };
  };
  if (status !== 'success') throw new Error(`${query['query']}: ${error}`);
  const isScalar = data.resultType === 'scalar';
  return isScalar ? [{ metric: {}, value: data.result as unknown as Sample, values: [] }] : data.result;
}

function seriesOf({ metric, value: [, text] }: Result): Series {
  return { metric, value: Number(text) };
}
