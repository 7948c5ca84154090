/** Short forms of the fuzzers; `npm run fuzz` is the long one. Each run takes another seed, which a failure names. */
import { expect, test } from 'vitest';
import { fuzzConfiguration } from './configuration.ts';
import { fuzzSlices } from './slices.ts';
import { fuzzStomp } from './stomp.ts';
import { fuzzWebSocket } from './websocket.ts';

const TIMEOUT_MS = 120_000;
const seed = Math.floor(Math.random() * 2 ** 31);

test(
  'STOMP frames are read as the oracle reads them, and memory stays flat',
  async () => {
    const report = await fuzzStomp({ frames: 20_000, seed });
    expect(report.failures).toEqual([]);
    expect(report.cases).toBeGreaterThanOrEqual(20_000);
  },
  TIMEOUT_MS,
);

test(
  'a configuration or problems, never a throw',
  async () => {
    const report = await fuzzConfiguration({ configurations: 2_000, seed });
    expect(report.failures).toEqual([]);
    // Both sides of it are met often.
    expect(Number(report.more?.['right'])).toBeGreaterThan(200);
    expect(Number(report.more?.['right'])).toBeLessThan(1_800);
  },
  TIMEOUT_MS,
);

test(
  'EndpointSlices with anything in any place are read or told as malformed',
  async () => {
    const report = await fuzzSlices({ sequences: 4_000, seed });
    expect(report.failures).toEqual([]);
    expect(Number(report.more?.['podsSeen'])).toBeGreaterThan(100);
  },
  TIMEOUT_MS,
);

test(
  'a peer that breaks WebSocket or STOMP is answered as RFC 6455 says, and concerns nobody else',
  async () => {
    const report = await fuzzWebSocket({ sockets: 2_000, seed });
    expect(report.failures).toEqual([]);
    // Every way to end is met: asked for, protocol, UTF-8, size, and a cut.
    expect(Object.keys(report.more?.['codes'] ?? {})).toEqual(
      expect.arrayContaining(['1000', '1002', '1007', '1009', 'cut']),
    );
  },
  TIMEOUT_MS,
);
