/** The Spring Boot application of backend/spring/ as a pod: a JVM of its own on a loopback address. */
import { type Child, type Exit, foreignProgram } from '../experiment/child.ts';
import { sleep } from '../experiment/clock.ts';
import { build, type JavaProgram, type Project } from './maven.ts';

export const SPRING_APPLICATION: Project = {
  folder: 'backend/spring',
  name: 'messaging',
  training: { jvm: ['-Dspring.context.exit=onRefresh'], program: ['--server.address=127.0.0.1', '--server.port=0'] },
};

/** The path at which a producer says something to a user, as `gateway.url` and the experiment's producers take it. */
export const DOOR = '/api/users/{user}/messages?destination={destination}';

/** From the port's being open to readiness; with the relay, the application itself waits up to 30 s for its broker. */
const READY_MAX_MS = 60_000;
const POLL_MS = 20;

export interface SpringPodOptions {
  readonly name: string;
  /** In 127.0.0.0/8; default 127.0.0.1. */
  readonly host?: string;
  /** Default: one that the system chooses. */
  readonly port?: number;
  /** Default: the one in the pom. */
  readonly bootVersion?: string | undefined;
  /** As on the command line of the application: `messaging.relay.host`, say. */
  readonly properties?: Readonly<Record<string, string>>;
}

export class SpringPod {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
  readonly process: Child;

  private constructor(name: string, address: string, process: Child) {
    this.name = name;
    this.address = address;
    this.process = process;
  }

  /** Resolves when its readiness probe says so. Builds the application first if need be. */
  static async start(options: SpringPodOptions): Promise<SpringPod> {
    const program = await build(SPRING_APPLICATION, options.bootVersion);
    const { name, host = '127.0.0.1' } = options;
    const process = foreignProgram(name, 'java', argumentsOf(program, options));
    try {
      const port = await process.line((line) => /Tomcat started on port (\d+)/.exec(line)?.[1]);
      const pod = new SpringPod(name, `${host}:${port}`, process);
      await Promise.race([pod.#ready(), endOf(process)]);
      return pod;
    } catch (error) {
      await process.kill();
      throw error;
    }
  }

  /** ws://…: where plain WebSocket clients connect. */
  get url(): string {
    return `ws://${this.address}/ws/websocket`;
  }

  /** http://…: where SockJS clients connect. */
  get sockJsUrl(): string {
    return `http://${this.address}/ws`;
  }

  /** SIGTERM, and the end in order. */
  async stop(): Promise<Exit> {
    this.process.signal('SIGTERM');
    return this.process.exited;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** The status of a probe: `readiness` or `liveness`. */
  async probe(name: 'readiness' | 'liveness'): Promise<number> {
    return (await fetch(`http://${this.address}/actuator/health/${name}`)).status;
  }

  async #ready(): Promise<void> {
    for (const until = Date.now() + READY_MAX_MS; Date.now() < until; await sleep(POLL_MS)) {
      if ((await this.probe('readiness')) === 200) return;
    }
    throw new Error(`${this.name} is not ready after ${READY_MAX_MS} ms:\n${this.process.lastLines}`);
  }
}

function argumentsOf({ command }: JavaProgram, { name, host, port = 0, properties }: SpringPodOptions): string[] {
  const all = {
    'server.address': host ?? '127.0.0.1',
    'server.port': port,
    'messaging.instance': name,
    ...properties,
  };
  return [...command, ...Object.entries(all).map(([key, value]) => `--${key}=${value}`)];
}

async function endOf(process: Child): Promise<never> {
  const { code, signal } = await process.exited;
  throw new Error(`${process.name} has ended (${signal ?? code}):\n${process.lastLines}`);
}
