/** One worker: a front of its own, and what it has to tell the primary. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { HostPort } from '../config/index.ts';
import { createFront, type OwnFront } from '../front.ts';
import { createStdoutLog, type Log } from '../log.ts';
import type { LogLosses } from '../log-output.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { openInnerDoor } from './inner-door.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { configOf } from './share.ts';
import { WorkerHomes } from './worker-homes.ts';

type Start = Extract<ToWorker, { type: 'start' }>;
type Tell = (message: ToPrimary, socket?: Socket, done?: (error: Error | null) => void) => void;

/** Runs until the primary says stop, or is gone: then node:cluster ends the process. */
export async function runWorker(process: NodeJS.Process): Promise<void> {
  const tell: Tell = (message, socket, done) => void process.send?.(message, socket, {}, done);
  const [start] = (await once(process, 'message')) as [Start];
  const { log: plainLog, losses } = createStdoutLog(start.config.log, process.stdout);
  const log = plainLog.child({ worker: start.index });
  const worker = new WorkerFront(start, log, losses, tell);
  let isStopping = false;
  const stop = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    await worker.stop();
    process.exit(code);
  };
  process.on('message', (message: ToWorker, socket?: Socket) => {
    if (message.type === 'stop') void stop(0);
    else worker.heard(message, socket);
  });
  process.on('uncaughtException', (err) => {
    log.error({ err }, 'stopping after an unexpected error: please report it');
    void stop(1);
  });
  await worker.listen().catch((error: NodeJS.ErrnoException) => {
    tell({ type: 'failed', message: error.message, code: error.code });
    process.exitCode = 1;
    process.disconnect?.();
  });
}

class WorkerFront {
  readonly #secret: string;
  readonly #listen: HostPort;
  readonly #metrics: Metrics;
  readonly #homes: WorkerHomes;
  readonly #front: OwnFront;
  readonly #tell: Tell;
  #closeDoor: () => void = () => {};
  #isOpen = true;

  constructor({ index, config, secret }: Start, log: Log, losses: LogLosses, tell: Tell) {
    this.#secret = secret;
    this.#listen = config.listen;
    this.#tell = tell;
    this.#metrics = createMetrics();
    this.#homes = new WorkerHomes(index, config.workers, secret, tell);
    // The ring is one thing of the whole proxy, and the primary shows it.
    const metrics = { ...this.#metrics, ringIs: () => {} };
    this.#front = createFront(configOf(config, index), metrics, log, this.#homes);
    this.#metrics.beforeScrape(() => this.#metrics.logLinesLost.set(losses.linesLost));
  }

  async listen(): Promise<void> {
    const { board, listener } = this.#front;
    const door = await openInnerDoor(this.#secret, (request, response) => {
      this.#homes.notePassedOn(request);
      listener.answer(request, response);
    });
    this.#closeDoor = door.close;
    const listen = await this.#front.listen(this.#listen);
    board.followedBy({ decided: (ready, users) => this.#tell({ type: 'decided', ready, users: [...users] }) });
    this.#tell({ type: 'serving', listen, doorPort: door.port });
  }

  heard(message: ToWorker, socket: Socket | undefined): void {
    switch (message.type) {
      case 'topology':
        return this.#front.topology(message.topology);
      case 'commit':
        return this.#front.board.permitCommit(message.version);
      case 'doors':
        return this.#homes.doorsAre(message.ports);
      case 'ask':
        return void this.#answer(message.question);
      case 'hand':
        if (socket === undefined) return;
        if (!this.#isOpen) return void socket.destroy();
        // As node:http has it; the WebSocket ends its own side.
        socket.allowHalfOpen = true;
        return this.#front.listener.takeOver(message.client, socket);
    }
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    await this.#front.dismiss();
    this.#tell({ type: 'dismissed' });
    this.#closeDoor();
    this.#homes.close();
    await this.#front.close();
  }

  async #answer(question: number): Promise<void> {
    const metrics = await this.#metrics.snapshot();
    this.#tell({ type: 'answer', question, facts: { sessions: await this.#front.sessions(), metrics } });
  }
}
