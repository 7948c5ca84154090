import { describe, expect, test } from 'vitest';
import { helpText, parseFlags } from '../../backend/flags.ts';
import { parseListen } from '../../backend/listen.ts';
import { type BackendOptions, settle } from '../../backend/options.ts';

describe('flags', () => {
  test('become options', () => {
    const args =
      '--listen [::1]:80 --name p --path /ws --user-header A --user-header b --service-user x --service-user y,z ' +
      '--heart-beat 5,0 --drain-grace 1 --max-frame-bytes 2 --max-buffered-bytes 3 --log-level info --exit-on-stdin-end ' +
      '--delay 4 --connect-delay 5 --crash-after 6 --drop-every 7 --duplicate-every 8 --swap-every 9 ' +
      '--send-error-after 10 --no-receipts --refuse-connect --drop-after 11 --refuse-upgrade 503 --close-code 1006';
    expect(parseFlags(args.split(' '))).toMatchObject({
      help: false,
      exitOnStdinEnd: true,
      logLevel: 'info',
      options: {
        listen: '[::1]:80',
        name: 'p',
        path: '/ws',
        userHeaders: ['A', 'b'],
        serviceUsers: ['x', 'y,z'],
        heartBeatMs: [5, 0],
        drainGraceMs: 1,
        limits: { maxFrameBytes: 2 },
        maxBufferedBytes: 3,
        faults: {
          delayMs: 4,
          connectDelayMs: 5,
          crashAfter: 6,
          dropEvery: 7,
          duplicateEvery: 8,
          swapEvery: 9,
          sendErrorAfter: 10,
          noReceipts: true,
          refuseConnect: true,
          dropAfterMs: 11,
          refuseUpgrade: 503,
          closeCode: 1006,
        },
      },
    });
  });

  test('none: the defaults stay', () => {
    expect(parseFlags([])).toMatchObject({
      help: false,
      exitOnStdinEnd: false,
      logLevel: 'warn',
      options: { faults: {} },
    });
  });

  test.each([
    ['--delay x', '--delay'],
    ['--delay -1', 'delay'],
    ['--delay 1.5', '--delay'],
    ['--delay', 'delay'],
    ['--lisen 1', '--lisen'],
    ['--heart-beat 1', '--heart-beat'],
    ['--heart-beat 1,2,3', '--heart-beat'],
    ['--log-level loud', '--log-level'],
    ['--no-receipts=yes', 'no-receipts'],
    ['stray', 'stray'],
  ])('%s is refused by name', (args, named) => expect(() => parseFlags(args.split(' '))).toThrow(named));

  test('--help names every flag once', () => {
    const named = helpText().match(/^ {2}--[a-z-]+/gm) ?? [];
    expect(new Set(named).size).toBe(named.length);
    expect(named.length).toBe(24);
  });
});

describe('options', () => {
  test.each([
    [{ drainGraceMs: -1 }, 'drainGraceMs'],
    [{ drainGraceMs: 2 ** 31 }, 'drainGraceMs'],
    [{ drainGraceMs: Number.NaN }, 'drainGraceMs'],
    [{ maxConnections: 0.5 }, 'maxConnections'],
    [{ heartBeatMs: [1, -1] }, 'heartBeatExpectMs'],
    [{ limits: { maxHeaders: -1 } }, 'maxHeaders'],
    [{ faults: { delayMs: 0.1 } }, 'delayMs'],
    [{ faults: { refuseUpgrade: 399 } }, 'refuseUpgrade'],
    [{ faults: { refuseUpgrade: 600 } }, 'refuseUpgrade'],
    [{ faults: { closeCode: 1005 } }, 'closeCode'],
    [{ faults: { closeCode: 5000 } }, 'closeCode'],
    [{ path: 'ws' }, 'path'],
  ] satisfies [BackendOptions, string][])('%j names %s', (options, named) => {
    expect(() => settle(options)).toThrow(RangeError);
    expect(() => settle(options)).toThrow(named);
  });

  test('defaults', () => {
    const settings = settle({});
    expect(settings).toMatchObject({ listen: '127.0.0.1:0', heartBeatMs: [1000, 1000], maxBufferedBytes: 524_288 });
    expect(settings.faults.closeCode).toBe(1001);
    expect(settle({ userHeaders: ['X-User'] }).userHeaders).toEqual(['x-user']);
  });
});

describe('listen', () => {
  test.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    ['[::]:80', { host: '::', port: 80 }],
  ])('%s', (text, parsed) => expect(parseListen(text)).toEqual(parsed));

  test.each(['', '80', ':80', 'host:', 'host:x', 'host:65536', '::1:80', '[::1]', 'http://host:80'])(
    '%j is refused',
    (text) => expect(() => parseListen(text)).toThrow('listen must be HOST:PORT'),
  );
});
