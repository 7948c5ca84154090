import type { Clock } from '../../producer/clock.ts';
import type { Message, PodAddress, PostResult, Transport } from '../../producer/transport.ts';

export interface Call {
  readonly at: number;
  readonly pod: string;
  readonly message: Message;
  readonly deadline: number;
}

export type Script = (call: Call) => PostResult | Promise<PostResult>;

/** A transport whose pods answer by script; it remembers who was asked what, when. */
export class ScriptTransport implements Transport {
  readonly calls: Call[] = [];
  readonly #clock: Clock;
  script: Script;
  closed = false;

  constructor(clock: Clock, script: Script) {
    this.#clock = clock;
    this.script = script;
  }

  async post(pod: PodAddress, message: Message, deadline: number): Promise<PostResult> {
    const call = { at: this.#clock.now(), pod: pod.name, message, deadline };
    this.calls.push(call);
    return this.script(call);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  get pods(): string[] {
    return this.calls.map((call) => call.pod);
  }
}

export const DOWN: PostResult = { unreachable: 'ECONNREFUSED', ambiguous: false };
export const LOST: PostResult = { unreachable: 'ECONNRESET', ambiguous: true };
