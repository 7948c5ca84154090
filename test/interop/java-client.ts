/** Spring's own STOMP client (test/interop/java-client), as one of the stock clients. */
import { type Child, foreignProgram, jsonOf } from '../experiment/child.ts';
import { build, type Project } from './maven.ts';

export const JAVA_CLIENT: Project = {
  folder: 'test/interop/java-client',
  name: 'client',
  // Port 9 is discard: nobody listens, and the end of stdin is the end of the program.
  training: { jvm: [], program: ['sockjs', 'http://127.0.0.1:9', 'Username', 'nobody'] },
};

export interface JavaClientOptions {
  readonly transport: 'raw' | 'sockjs';
  readonly url: string;
  readonly user: string;
}

/** One line of its stdout. */
export interface JavaEvent {
  readonly event: 'connected' | 'message' | 'receipt' | 'error' | 'closed';
  /** Of the subscription: message, receipt. */
  readonly id?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** error: `frame` is ERROR of the server, `transport` the end of the connection. */
  readonly kind?: 'connect' | 'frame' | 'exception' | 'transport';
  readonly message?: string;
  readonly code?: number;
}

export class JavaClient {
  readonly process: Child;
  /** All that it has told so far. */
  readonly events: JavaEvent[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(process: Child) {
    this.process = process;
    process.onLine((line) => {
      const event = jsonOf(line);
      if (event === undefined) return;
      this.events.push(event as unknown as JavaEvent);
      for (const watch of this.#watchers) watch();
    });
  }

  /** Resolves when it is CONNECTED, or has told why not. */
  static async connect({ transport, url, user }: JavaClientOptions): Promise<JavaClient> {
    const { command } = await build(JAVA_CLIENT);
    const client = new JavaClient(foreignProgram(user, 'java', [...command, transport, url, 'Username', user]));
    await client.event(({ event }) => event === 'connected' || event === 'error');
    return client;
  }

  /** The first event that fits, among those that were told and those to come. Rejects when the program ends before. */
  async event(fits: (event: JavaEvent) => boolean): Promise<JavaEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<JavaEvent>();
    const look = () => {
      const found = this.events.find(fits);
      if (found !== undefined) resolve(found);
    };
    this.#watchers.add(look);
    void this.process.exited.then(() =>
      reject(new Error(`${this.process.name} has ended:\n${this.process.lastLines}`)),
    );
    look();
    return promise.finally(() => this.#watchers.delete(look));
  }

  subscribe(id: string, destination: string): void {
    this.#tell({ do: 'subscribe', id, destination });
  }

  send(destination: string, body: string): void {
    this.#tell({ do: 'send', destination, body });
  }

  unsubscribe(id: string): void {
    this.#tell({ do: 'unsubscribe', id });
  }

  disconnect(): void {
    this.#tell({ do: 'disconnect' });
  }

  /** Ends it, connected or not. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  #tell(command: Readonly<Record<string, string>>): void {
    this.process.write(JSON.stringify(command));
  }
}
