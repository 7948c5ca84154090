/**
 * ActiveMQ Artemis and ActiveMQ (Classic) as processes: the brokers of brokers/artemis and brokers/activemq, each a JVM of its own
 * on a loopback address, alone or two that pass each other's messages on.
 */
import { randomInt } from 'node:crypto';
import { type Child, foreignProgram, jsonOf } from '../experiment/child.ts';
import { build, type Project } from './maven.ts';

export interface BrokerKind {
  readonly project: Project;
  /** Arguments of one of two that know each other. Hosts are addresses that nobody else has, so their usual ports are free. */
  readonly joined: (host: string, peer: string) => readonly string[];
}

/** The training starts one, which ends with its stdin. */
const project = (name: string): Project => ({
  folder: `test/interop/brokers/${name}`,
  name,
  training: { jvm: [], program: ['name=training', 'host=127.0.0.1', 'port=0'] },
});

/** Clients and nodes of a cluster come to the same port. */
export const ARTEMIS: BrokerKind = {
  project: project('artemis'),
  joined: (host, peer) => [`host=${host}`, 'port=61616', `peers=${peer}:61616`],
};

export const ACTIVEMQ: BrokerKind = {
  project: project('activemq'),
  joined: (host, peer) => [`host=${host}`, 'port=61614', 'network=61616', `peers=${peer}:61616`],
};

export class Broker {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
  readonly process: Child;

  private constructor(name: string, address: string, process: Child) {
    this.name = name;
    this.address = address;
    this.process = process;
  }

  /** Resolves when it serves. Builds the program first if need be. */
  static async start({ project }: BrokerKind, name: string, args: readonly string[]): Promise<Broker> {
    const { command } = await build(project);
    const process = foreignProgram(name, 'java', [...command, `name=${name}`, ...args]);
    const port = await process.line((line) => jsonOf(line)?.['port']);
    const host = args.find((argument) => argument.startsWith('host='))?.slice('host='.length);
    return new Broker(name, `${host}:${port}`, process);
  }

  /** One that nobody else knows, at 127.0.0.1 and a port that the system chooses. */
  static alone(kind: BrokerKind, ...more: readonly string[]): Promise<Broker> {
    return Broker.start(kind, 'alone', ['host=127.0.0.1', 'port=0', ...more]);
  }

  /** ws://… of its STOMP over WebSocket. */
  get url(): string {
    return `ws://${this.address}/`;
  }

  /** SIGTERM, and the end in order. */
  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.exited;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.process.kill();
  }
}

/** Two brokers that know each other by address, each of which may end and start again there. */
export class BrokerPair {
  readonly #kind: BrokerKind;
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  readonly #names: string[] = [];
  readonly #running = new Map<string, Broker>();

  constructor(kind: BrokerKind) {
    this.#kind = kind;
  }

  /** Starts the broker of that name; there are at most two names. Resolves when it serves, whether or not the other one does. */
  async run(name: string): Promise<Broker> {
    if (!this.#names.includes(name)) this.#names.push(name);
    const number = this.#names.indexOf(name) + 1;
    if (number > 2) throw new RangeError(`${name} would be the third of a pair: ${this.#names}`);
    const [host, peer] = [`${this.#network}.${number}`, `${this.#network}.${3 - number}`];
    const broker = await Broker.start(this.#kind, name, this.#kind.joined(host, peer));
    this.#running.set(name, broker);
    return broker;
  }

  /** Ends both. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#running.values(), (broker) => broker.kill()));
  }
}
