import type { Topology, TopologySource } from '../../proxy/discovery/index.ts';
import type { Log } from '../../proxy/log.ts';

/** Keeps every topology and every log line, and lets a test wait for one. */
export class Recorder {
  readonly topologies: Topology[] = [];
  readonly lines: { level: string; message: string }[] = [];
  readonly #waiting = new Set<() => void>();
  readonly log: Log = this.#makeLog();

  get last(): Topology | undefined {
    return this.topologies.at(-1);
  }

  /** The last topology in one line: `name=address` with `~` for draining and `!` for unready. */
  get pods(): string {
    return describe(this.last);
  }

  get warnings(): string[] {
    return this.lines.filter((line) => line.level === 'warn').map((line) => line.message);
  }

  start(source: TopologySource): void {
    source.start((topology) => {
      this.topologies.push(topology);
      this.#wake();
    });
  }

  async untilPods(pods: string): Promise<void> {
    await this.until(() => this.pods === pods);
  }

  async untilLine(part: string): Promise<void> {
    await this.until(() => this.lines.some((line) => line.message.includes(part)));
  }

  /** Looked at after every topology and every log line. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #makeLog(): Log {
    const write = (level: string) => (_fields: object, message: string) => {
      this.lines.push({ level, message });
      this.#wake();
    };
    const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    return { ...log, child: () => this.log } as unknown as Log;
  }
}

export function describe(topology: Topology | undefined): string {
  if (topology === undefined) return 'nothing';
  const mark = { serving: '', draining: '~', unready: '!' };
  return topology.pods.map((pod) => `${mark[pod.state]}${pod.name}=${pod.address}`).join(' ') || 'no pods';
}
