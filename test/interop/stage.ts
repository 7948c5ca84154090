/** Two pods of a kind with Holdfast in front, and stock stomp.js clients that are moved from one to the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type StompConfig } from '@stomp/stompjs';
import { expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Pods } from '../experiment/backends/backend.ts';
import { Fleet } from '../experiment/fleet.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';

const MOVE_MAX_MS = 20_000;

export class Stage {
  readonly fleet: Fleet;
  readonly proxy: ProxyProcess;
  readonly #pods: Pods;
  readonly #directory: string;

  private constructor(fleet: Fleet, proxy: ProxyProcess, pods: Pods, directory: string) {
    this.fleet = fleet;
    this.proxy = proxy;
    this.#pods = pods;
    this.#directory = directory;
  }

  static async start(pods: Pods): Promise<Stage> {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-interop-'));
    const fleet = new Fleet({ directory, startPod: pods.startPod });
    try {
      await fleet.add(2);
      const flags = ['--handover-drain-max', '500ms', '--handover-barrier-max', '500ms'];
      return new Stage(fleet, await startProxy({ podsFile: fleet.file, flags }), pods, directory);
    } catch (error) {
      await fleet.stop();
      await pods.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.fleet.stop();
    await this.#pods.stop();
    rmSync(this.#directory, { recursive: true });
  }

  /**
   * A client of the proxy.
   * @param headers of its CONNECT
   * @param config more of stomp.js' own
   */
  proxied(user: string, headers: Readonly<Record<string, string>> = {}, config: StompConfig = {}): Promise<Client> {
    const url = `${this.proxy.listenUrl.replace(/^http/, 'ws')}/ws`;
    return connected(url, user, { ...config, connectHeaders: headers });
  }

  /** A client of the first pod that is listed as serving. */
  direct(): Promise<Client> {
    return connected(`ws://${this.fleet.serving[0]?.address}/ws`, 'producer');
  }

  /** The only session goes to the other pod; resolves when it is there and its old link is closed. */
  async move(): Promise<void> {
    const before = await this.proxy.metrics();
    const from = this.fleet.listed.find(({ name }) => (before.get(`holdfast_sessions{pod="${name}"}`) ?? 0) > 0);
    if (from === undefined) throw new Error('there is no session');
    this.fleet.mark('serving', ...this.fleet.listed.filter((pod) => pod !== from));
    this.fleet.mark('draining', from);
    await this.#metricIsZero(`holdfast_sessions{pod="${from.name}"}`);
    await this.#metricIsZero(`holdfast_links{pod="${from.name}",state="draining"}`);
    const moves = (await this.proxy.metrics()).get('holdfast_moves_total');
    expect(moves).toBeGreaterThan(before.get('holdfast_moves_total') ?? 0);
  }

  /** SIGTERM for the pod that was left, which comes back under its name. */
  async restartOld(): Promise<void> {
    const [staying] = this.fleet.serving;
    const old = this.fleet.listed.find((pod) => pod !== staying);
    if (old === undefined) throw new Error('there is one pod only');
    await this.fleet.retire(old);
    this.fleet.mark('draining', await this.fleet.start(old.name));
  }

  async #metricIsZero(name: string): Promise<void> {
    const value = async () => (await this.proxy.metrics()).get(name) ?? 0;
    await expect.poll(value, { timeout: MOVE_MAX_MS }).toBe(0);
  }
}

async function connected(url: string, user: string, config: StompConfig = {}): Promise<Client> {
  const client = new Client({
    ...config,
    webSocketFactory: () => new WebSocket(url, ['v12.stomp'], { headers: { Username: user } }),
    reconnectDelay: 0,
  });
  const open = Promise.withResolvers<void>();
  client.onConnect = () => open.resolve();
  client.onWebSocketClose = ({ code }) => open.reject(new Error(`closed ${code}`));
  client.activate();
  onTestFinished(() => client.deactivate({ force: true }));
  await open.promise;
  return client;
}

/** Resolves when the receipt of what `act` says has come. */
export async function receipt(client: Client, act: (headers: { receipt: string }) => void): Promise<void> {
  const id = `r-${Math.random()}`;
  const answered = new Promise<void>((resolve) => client.watchForReceipt(id, () => resolve()));
  act({ receipt: id });
  await answered;
}
