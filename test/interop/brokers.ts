/**
 * ActiveMQ Artemis and ActiveMQ (Classic) as processes: the brokers of brokers/artemis and brokers/activemq, each a JVM of its own
 * on a loopback address, alone or two that pass each other's messages on.
 */
import { randomInt } from 'node:crypto';
import type { Pods } from '../experiment/backends/backend.ts';
import { type Child, foreignProgram, jsonOf } from '../experiment/child.ts';
import { Connection } from '../topic/connection.ts';
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

/** How long two brokers may take to find each other; both look every 50 ms. */
const FORMED_MAX_MS = 30_000;
const PROBE_MS = 20;

/** Two brokers that know each other by address, each of which may end and start again there. */
export class BrokerPair {
  readonly #kind: BrokerKind;
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  readonly #names: string[] = [];
  readonly #brokers = new Map<string, Broker>();

  constructor(kind: BrokerKind) {
    this.#kind = kind;
  }

  /** Starts the broker of that name; there are two names. Resolves when it serves and, if the other one does, they pass messages on. */
  async run(name: string): Promise<Broker> {
    if (!this.#names.includes(name)) this.#names.push(name);
    const number = this.#names.indexOf(name) + 1;
    if (number > 2) throw new RangeError(`${name} would be the third of a pair: ${this.#names}`);
    const [host, peer] = [`${this.#network}.${number}`, `${this.#network}.${3 - number}`];
    const broker = await Broker.start(this.#kind, name, this.#kind.joined(host, peer));
    this.#brokers.set(name, broker);
    for (const other of this.#brokers.values())
      if (other !== broker && other.process.running) await joined(broker, other);
    return broker;
  }

  /** Ends both. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#brokers.values(), (broker) => broker.kill()));
  }
}

/** Pods of which each is one of a pair. */
export function pairOf(kind: BrokerKind): Pods {
  const pair = new BrokerPair(kind);
  return {
    startPod: (name) => pair.run(name),
    proxyFlags: ['--handover-drain-max', '1s'],
    stop: () => pair.stop(),
  };
}

/** Resolves when what is published at one of them reaches those who listen at the other. */
async function joined(one: Broker, other: Broker): Promise<void> {
  await Promise.all([reaches(one, other), reaches(other, one)]);
}

async function reaches(from: Broker, to: Broker): Promise<void> {
  const destination = `/topic/from-${from.name}`;
  const heard = Promise.withResolvers<void>();
  const listener = await Connection.open(to.url, 'listener', () => heard.resolve());
  await listener.ask('SUBSCRIBE', { id: 'probe', destination });
  const speaker = await Connection.open(from.url, 'speaker');
  const probing = setInterval(() => speaker.send('SEND', { destination }), PROBE_MS);
  const tooLong = setTimeout(
    () => heard.reject(new Error(`${from.name} does not reach ${to.name} within ${FORMED_MAX_MS} ms`)),
    FORMED_MAX_MS,
  );
  try {
    await Promise.race([heard.promise, listener.failed, speaker.failed]);
  } finally {
    clearInterval(probing);
    clearTimeout(tooLong);
    await Promise.all([listener.close(), speaker.close()]);
  }
}
