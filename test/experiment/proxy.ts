/** The proxy as a process of its own. */
import { appendFileSync } from 'node:fs';
import { type Child, jsonOf, nodeProgram } from './child.ts';

export interface ProxyOptions {
  /** Absent when the flags say where the pods are. */
  readonly podsFile?: string;
  /** More flags of `holdfast serve`. */
  readonly flags?: readonly string[];
  /** Where its log goes; nowhere when absent. */
  readonly logFile?: string | undefined;
  /** Flags of the Node that runs it. */
  readonly nodeFlags?: readonly string[];
  /** Variables that it gets beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProxyProcess {
  /** http://HOST:PORT of clients and of producers. */
  readonly listenUrl: string;
  readonly adminUrl: string;
  readonly process: Child;
  /** All metrics by name with labels, as they stand in the exposition format. */
  metrics(): Promise<Map<string, number>>;
  /** Rejects when it ends by itself. */
  readonly failed: Promise<never>;
  /** SIGTERM, and the end in order. */
  stop(): Promise<void>;
}

export async function startProxy({
  podsFile,
  flags = [],
  logFile,
  nodeFlags = [],
  env = {},
}: ProxyOptions): Promise<ProxyProcess> {
  const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const pods = podsFile === undefined ? [] : ['--pods-file', podsFile];
  const args = ['serve', ...ports, ...pods, '--user', 'header:Username', ...flags];
  const process = nodeProgram('the proxy', 'proxy/main.ts', args, { nodeFlags, env });
  if (logFile !== undefined) process.onLine((line) => appendFileSync(logFile, `${line}\n`));
  const { listenUrl, adminUrl } = await process.line(addressesOf);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {}); // whoever waits for it hears of it
  let stopping = false;
  void process.exited.then(({ code, signal }) => {
    if (!stopping) reject(new Error(`the proxy has ended (${signal ?? code}):\n${process.lastLines}`));
  });
  return {
    ...{ listenUrl, adminUrl, process, failed },
    metrics: async () => readMetrics(await (await fetch(`${adminUrl}/metrics`)).text()),
    stop: async () => {
      stopping = true;
      process.signal('SIGTERM');
      await process.exited;
    },
  };
}

function addressesOf(line: string): { listenUrl: string; adminUrl: string } | undefined {
  const { listen, admin } = jsonOf(line) ?? {};
  if (typeof listen !== 'string' || typeof admin !== 'string') return undefined;
  return { listenUrl: listen, adminUrl: admin };
}

function readMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
