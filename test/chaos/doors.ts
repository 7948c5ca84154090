/** The fault doors of a run, from the side of the schedule. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromDoors, ToDoors } from './doors-messages.ts';
import type { NetworkFault } from './fault-door.ts';

export interface Door {
  /** HOST:PORT */
  readonly address: string;
  target(address: string): Promise<void>;
  fault(fault: NetworkFault): Promise<void>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export class Doors {
  readonly #process: ChildProcess;
  #lastNumber = 0;

  constructor() {
    this.#process = fork(fileURLToPath(new URL('doors-main.ts', import.meta.url)), { stdio: 'inherit' });
    this.#process.setMaxListeners(0);
  }

  async open(target: string): Promise<Door> {
    const door = ++this.#lastNumber;
    const address = await this.#tell({ type: 'open', door, target });
    const say = async (message: ToDoors) => void (await this.#tell(message));
    return {
      address,
      target: (next) => say({ type: 'target', door, target: next }),
      fault: (fault) => say({ type: 'fault', door, fault }),
      reset: () => say({ type: 'reset', door }),
      close: () => say({ type: 'close', door }),
    };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** One message to a door at a time, so the next answer of that door is the answer. */
  #tell(message: ToDoors): Promise<string> {
    return new Promise((resolve, reject) => {
      const over = () => {
        this.#process.off('message', listen).off('exit', ended);
      };
      const listen = ({ door, address }: FromDoors) => {
        if (door !== message.door) return;
        over();
        resolve(address);
      };
      const ended = () => reject(new Error('the process with the fault doors has ended'));
      this.#process.on('message', listen).on('exit', ended);
      this.#process.send(message);
    });
  }
}
