import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../proxy/discovery/backoff.ts';
import { LineSplitter } from '../../proxy/discovery/line-splitter.ts';
import { Settle } from '../../proxy/discovery/settle.ts';

describe('settle', () => {
  it('waits until changes pause', () => {
    const settle = new Settle({ quietMs: 100, maxMs: 500 });
    expect(settle.deadline()).toBe(Infinity);
    settle.changed(1000);
    settle.changed(1099);
    expect(settle.due(1198)).toBe(false);
    expect(settle.due(1199)).toBe(true);
    settle.clear();
    expect(settle.due(1_000_000)).toBe(false);
  });

  it('is not put off for ever by changes that never pause', () => {
    const settle = new Settle({ quietMs: 100, maxMs: 500 });
    for (let now = 1000; now <= 1490; now += 10) settle.changed(now);
    expect(settle.due(1499)).toBe(false);
    expect(settle.due(1500)).toBe(true);
  });
});

describe('backoff', () => {
  const options = { baseMs: 100, capMs: 10_000 };

  it.each([
    [0, 100],
    [1, 200],
    [6, 6_400],
    [7, 10_000],
    [1_000_000, 10_000],
  ])('after %i failures is spread over 0 to %i ms', (attempt, most) => {
    expect(backoffMs(attempt, 0, options)).toBe(0);
    expect(backoffMs(attempt, 0.5, options)).toBe(most / 2);
    expect(backoffMs(attempt, 0.999, options)).toBeLessThan(most);
  });
});

describe('lines', () => {
  const bytes = (text: string) => Buffer.from(text);
  const texts = (lines: Uint8Array[] | 'tooLong') =>
    lines === 'tooLong' ? lines : lines.map((line) => Buffer.from(line).toString());

  it('are the same however the bytes come in, also cut inside of characters', () => {
    const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(100)), (lines, cuts) => {
        const all = bytes(lines.map((text) => `${text}\n`).join(''));
        const splitter = new LineSplitter(1000);
        const at = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
        const got = at.slice(1).flatMap((end, i) => texts(splitter.push(all.subarray(at[i], end))));
        expect(got).toEqual(lines);
        expect(splitter.pendingBytes).toBe(0);
      }),
    );
  });

  it.each([
    [9, ['x'.repeat(9)]],
    [10, ['x'.repeat(10)]],
    [11, 'tooLong'],
  ])('of %i bytes with a limit of 10', (length, result) => {
    expect(texts(new LineSplitter(10).push(bytes(`${'x'.repeat(length)}\n`)))).toEqual(result);
    const splitter = new LineSplitter(10);
    const parts = [...'x'.repeat(length)].map((x) => splitter.push(bytes(x)));
    expect(parts.includes('tooLong')).toBe(result === 'tooLong');
  });

  it('that have not ended are counted', () => {
    const splitter = new LineSplitter(10);
    expect(texts(splitter.push(bytes('ab\ncd')))).toEqual(['ab']);
    expect(splitter.pendingBytes).toBe(2);
  });
});
