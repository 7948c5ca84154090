import { describe, expect, test } from 'vitest';
import { LOG_BUFFER_BYTES, LogOutput } from '../proxy/log-output.ts';

/** A stream whose reader takes what is in it when the test says so, or is gone. */
class Sink {
  readonly read: string[] = [];
  readonly #waiting: { line: Uint8Array; done: (error?: Error | null) => void }[] = [];

  get writableLength(): number {
    return this.#waiting.reduce((sum, { line }) => sum + line.byteLength, 0);
  }

  write(line: Uint8Array, done: (error?: Error | null) => void): void {
    this.#waiting.push({ line, done });
  }

  readAll(error?: Error): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (error === undefined) this.read.push(Buffer.from(next.line).toString());
      next.done(error);
    }
  }
}

function setup() {
  const sink = new Sink();
  const told: number[] = [];
  return { sink, told, output: new LogOutput(sink, (lines) => told.push(lines)) };
}

/** A line of that many bytes, fewer characters, for bounds are in bytes. */
const lineOf = (bytes: number) => `${'é'.repeat(Math.floor((bytes - 1) / 2))}${bytes % 2 === 0 ? 'x' : ''}\n`;

const turn = () => new Promise(setImmediate);

describe('the output of the log', () => {
  test('writes the lines of a turn together, at its end', async () => {
    const { sink, output } = setup();
    output.write('one\n');
    await Promise.resolve();
    output.write('two\n');
    expect(sink.writableLength).toBe(0);
    await turn();
    output.write('three\n');
    await turn();
    sink.readAll();
    expect(sink.read).toEqual(['one\ntwo\n', 'three\n']);
  });

  test.each([
    [LOG_BUFFER_BYTES - 1, 0],
    [LOG_BUFFER_BYTES, 0],
    [LOG_BUFFER_BYTES + 1, 1],
  ])('holds %i bytes for a reader that is stuck, and loses %i lines', (bytes, lost) => {
    const { sink, output } = setup();
    output.write(lineOf(1000));
    output.write(lineOf(bytes - 1000));
    expect(output.linesLost).toBe(lost);
    output.flush();
    expect(sink.writableLength).toBeLessThanOrEqual(LOG_BUFFER_BYTES);
  });

  test.each([
    [LOG_BUFFER_BYTES - 1, 0],
    [LOG_BUFFER_BYTES, 0],
    [LOG_BUFFER_BYTES + 1, 1],
  ])('holds %i bytes with those of the turn before, and loses %i lines', (bytes, lost) => {
    const { output } = setup();
    output.write(lineOf(1000));
    output.flush();
    output.write(lineOf(bytes - 1000));
    expect(output.linesLost).toBe(lost);
  });

  test('says how many lines were lost when the others are read, once', () => {
    const { sink, told, output } = setup();
    output.write(lineOf(LOG_BUFFER_BYTES));
    output.write('lost\n');
    output.write('lost too\n');
    expect(told).toEqual([]);
    output.flush();
    sink.readAll();
    expect(told).toEqual([2]);
    output.write('goes on\n');
    output.flush();
    sink.readAll();
    expect(sink.read.at(-1)).toBe('goes on\n');
    expect(told).toEqual([2]);
    expect(output.linesLost).toBe(2);
  });

  test('counts what a reader that is gone has not read, and takes the next line all the same', () => {
    const { sink, told, output } = setup();
    output.write('one\n');
    output.write('two\n');
    output.flush();
    sink.readAll(new Error('write EPIPE'));
    expect([output.linesLost, told]).toEqual([2, []]);
    output.write('to another reader of the same pipe\n');
    output.flush();
    sink.readAll();
    expect(sink.read).toEqual(['to another reader of the same pipe\n']);
    expect(told).toEqual([2]);
  });
});
