/**
 * Real RabbitMQ nodes of Debian's rabbitmq-server, one or a cluster, beside whatever else runs on the machine: addresses
 * of their own on the loopback network, an epmd of their own, everything they write in one temporary folder.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, foreignProgram } from '../experiment/child.ts';
import { sleep } from '../experiment/clock.ts';

/** Debian's wrappers in /usr/sbin write to /var; these are what they call. */
const BIN = '/usr/lib/rabbitmq/bin';
const PLUGINS = ['rabbitmq_stomp', 'rabbitmq_web_stomp'];

/** Each node has an address of its own, so all of them use the ports that RabbitMQ has by default. */
const PORTS = { amqp: 5672, stomp: 61613, webStomp: 15674 };
/**
 * Of epmd, the first of a block; the next ones are those by which nodes speak to each other, which must differ on a machine,
 * whatever the address. Below the ports that Linux gives to outgoing connections, so that only another server can have
 * them: then another block is tried.
 */
const BLOCK = { ports: 16, least: 625, most: 2047 };
const EPMD_TRIES_MAX = 5;
/** epmd listens within milliseconds; only a machine that stands still needs longer. */
const EPMD_MAX_MS = 10_000;
const POLL_MS = 20;

/** Those that the plugins for management and Prometheus would show, without them. */
const SUM_OF_COUNTERS = `lists:sum([maps:get(Name, Counters, 0) ||
  Counters <- maps:values(rabbit_global_counters:overview()), Name <- [messages_received_total, messages_delivered_total]]).`;

const run = promisify(execFile);

export class RabbitNode {
  readonly name: string;
  readonly host: string;
  readonly #cluster: RabbitCluster;
  readonly #distPort: number;
  #process: Child | undefined;
  #ready = false;

  /** @param number of its address */
  constructor(cluster: RabbitCluster, name: string, number: number) {
    this.name = name;
    this.host = cluster.hostOf(number);
    this.#distPort = cluster.epmdPort + number;
    this.#cluster = cluster;
  }

  /** HOST:PORT of STOMP itself. */
  get stompAddress(): string {
    return `${this.host}:${PORTS.stomp}`;
  }

  /** HOST:PORT of Web-STOMP, whose path is /ws. */
  get address(): string {
    return `${this.host}:${PORTS.webStomp}`;
  }

  /** ws://… of Web-STOMP. */
  get url(): string {
    return `ws://${this.address}/ws`;
  }

  /** As Erlang calls it. */
  get erlangName(): string {
    return `${this.name}@${this.host}`;
  }

  /** It has started, and has not ended. */
  get serving(): boolean {
    return this.#ready && this.process.running;
  }

  get process(): Child {
    if (this.#process === undefined) throw new Error(`${this.name} was never started`);
    return this.#process;
  }

  /**
   * Resolves when it serves. What it had before it stopped is still there.
   *
   * @param seeds nodes that serve, whose cluster it joins if it is new
   */
  async start(seeds: readonly RabbitNode[] = []): Promise<void> {
    const env = { ...this.#cluster.env, ...this.#files(seeds), RABBITMQ_NODENAME: this.erlangName };
    this.#ready = false;
    this.#process = foreignProgram(this.name, `${BIN}/rabbitmq-server`, [], env);
    await this.#process.line((line) => (/completed with \d+ plugins/.test(line) ? true : undefined));
    this.#ready = true;
  }

  /** SIGTERM, and the end in order. */
  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.exited;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** What rabbitmqctl prints. */
  ctl(...args: string[]): Promise<string> {
    return this.#tool('rabbitmqctl', args);
  }

  /** Messages that it has taken from publishers and given to consumers since its start, by its own counters. */
  async messages(): Promise<number> {
    return Number(await this.ctl('eval', SUM_OF_COUNTERS));
  }

  /** Maintenance mode: it lets go of its clients and takes no new ones. */
  drain(): Promise<string> {
    return this.#tool('rabbitmq-upgrade', ['drain']);
  }

  /** The end of maintenance mode. */
  revive(): Promise<string> {
    return this.#tool('rabbitmq-upgrade', ['revive']);
  }

  #tool(tool: string, args: readonly string[]): Promise<string> {
    return this.#cluster.tool(tool, ['--quiet', '-n', this.erlangName, ...args]);
  }

  /** Writes its configuration. Gives the variables that say where it is, and that nothing of the machine's own counts. */
  #files(seeds: readonly RabbitNode[]): Record<string, string> {
    const folder = join(this.#cluster.folder, this.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'enabled_plugins'), `[${PLUGINS.join(',')}].`);
    writeFileSync(join(folder, 'rabbitmq.conf'), this.#configuration(seeds));
    const interfaceTuple = `{${this.host.replaceAll('.', ',')}}`;
    return {
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_DIST_PORT: String(this.#distPort),
      // Then the script becomes the node, and signals reach it; -noinput, since there is nobody to type.
      RABBITMQ_ALLOW_INPUT: 'true',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-noinput +S 2:2 -start_epmd false -kernel inet_dist_use_interface ${interfaceTuple}`,
    };
  }

  #configuration(seeds: readonly RabbitNode[]): string {
    const join = seeds.map(
      ({ erlangName }, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${erlangName}`,
    );
    return [
      `listeners.tcp.1 = ${this.host}:${PORTS.amqp}`,
      `stomp.listeners.tcp.1 = ${this.host}:${PORTS.stomp}`,
      `web_stomp.tcp.ip = ${this.host}`,
      `web_stomp.tcp.port = ${PORTS.webStomp}`,
      'log.console = true',
      'log.console.level = warning',
      'log.file = false',
      ...(join.length === 0 ? [] : ['cluster_formation.peer_discovery_backend = classic_config', ...join]),
      '',
    ].join('\n');
  }
}

export class RabbitCluster {
  /** Everything that its nodes write. */
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-rabbitmq-'));
  readonly nodes: RabbitNode[] = [];
  /** The first three numbers of all of its addresses. */
  readonly #network: string;
  readonly epmdPort = BLOCK.ports * randomInt(BLOCK.least, BLOCK.most + 1);
  #starting = Promise.resolve();
  readonly #tools = new Set<Promise<unknown>>();
  #epmd: Child | undefined;

  private constructor() {
    // Two clusters have not the same port, so the networks that are made of them are different, too.
    this.#network = `127.${this.epmdPort >> 8}.${this.epmdPort & 0xff}`;
    writeFileSync(join(this.folder, '.erlang.cookie'), 'HOLDFASTINTEROP', { mode: 0o400 });
  }

  /** Resolves when all nodes serve: rabbit-1 and so on. None yet is a cluster, too. */
  static async start(size: number): Promise<RabbitCluster> {
    const cluster = await RabbitCluster.#withEpmd(EPMD_TRIES_MAX);
    try {
      await Promise.all(Array.from({ length: size }, (_, index) => cluster.run(`rabbit-${index + 1}`)));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  static async #withEpmd(tries: number): Promise<RabbitCluster> {
    const cluster = new RabbitCluster();
    try {
      await cluster.#startEpmd();
      return cluster;
    } catch (error) {
      await cluster.stop();
      if (tries === 1) throw error;
      return RabbitCluster.#withEpmd(tries - 1);
    }
  }

  /** Starts the node of that name, with all that it had, or a new one that joins the cluster. Resolves when it serves. */
  async run(name: string): Promise<RabbitNode> {
    const known = this.nodes.find((node) => node.name === name);
    const node = known ?? new RabbitNode(this, name, this.nodes.length + 1);
    if (known === undefined) this.nodes.push(node);
    // The first one makes the cluster. Any two that start together would wait for each other.
    const before = this.#starting;
    this.#starting = before.then(() => node.start(this.nodes.filter(({ serving }) => serving)));
    await this.#starting;
    return node;
  }

  /** Ends all of its processes, and deletes all that they have written. */
  async stop(): Promise<void> {
    // A node that starts, or a tool, starts another epmd if it finds none, and nobody would end that one.
    await Promise.allSettled([this.#starting]);
    await Promise.all(this.nodes.map((node) => node.kill()));
    // Without nodes they fail at once.
    await Promise.allSettled(this.#tools);
    await this.#epmd?.kill();
    rmSync(this.folder, { recursive: true });
  }

  /** What one of RabbitMQ's commands prints. */
  async tool(name: string, args: readonly string[]): Promise<string> {
    const running = run(`${BIN}/${name}`, args, { env: { ...process.env, ...this.env } });
    this.#tools.add(running);
    try {
      return (await running).stdout;
    } finally {
      this.#tools.delete(running);
    }
  }

  hostOf(number: number): string {
    return `${this.#network}.${number}`;
  }

  /** What every Erlang program of the cluster needs. */
  get env(): Record<string, string> {
    return {
      HOME: this.folder,
      ERL_EPMD_PORT: String(this.epmdPort),
      ERL_CRASH_DUMP: join(this.folder, 'erl_crash.dump'),
      RABBITMQ_USE_LONGNAME: 'true',
      RABBITMQ_CONF_ENV_FILE: join(this.folder, 'no-environment-file'),
    };
  }

  /** Nodes ask the epmd at each other's addresses, so it listens at as many as the cluster may ever have. */
  async #startEpmd(): Promise<void> {
    const addresses = Array.from({ length: NODES_MAX }, (_, index) => this.hostOf(index + 1));
    const port = String(this.epmdPort);
    this.#epmd = foreignProgram('epmd', 'epmd', ['-port', port, '-address', addresses.join(',')]);
    await Promise.race([this.#listens(), this.#epmd.line(() => undefined)]);
  }

  async #listens(): Promise<void> {
    for (const until = Date.now() + EPMD_MAX_MS; Date.now() < until; await sleep(POLL_MS)) {
      if (await accepts(this.hostOf(1), this.epmdPort)) return;
    }
    throw new Error(`epmd does not listen after ${EPMD_MAX_MS} ms`);
  }
}

/** Of one cluster, those that have left counted: epmd listens at fewer than 16 addresses, two of which are its own. */
export const NODES_MAX = 13;

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
