import { EventEmitter, once } from 'node:events';
import type { Log } from '../../producer/log.ts';

/** A log that a test can wait for. */
export class LogRecorder implements Log {
  readonly lines: { message: string; fields: Record<string, unknown> }[] = [];
  readonly #events = new EventEmitter();

  readonly info = (fields: object, message: string) => this.#line(fields, message);
  readonly warn = (fields: object, message: string) => this.#line(fields, message);

  /** The fields of the next line with this message. */
  async next(message: string): Promise<Record<string, unknown>> {
    const [fields] = await once(this.#events, message);
    return fields;
  }

  #line(fields: object, message: string): void {
    this.lines.push({ message, fields: { ...fields } });
    this.#events.emit(message, fields);
  }
}
