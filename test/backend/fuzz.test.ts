/** Whatever a client sends: no exception, at most one ERROR and one close, nothing after it, no timer and no subscription left. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Broker } from '../../backend/broker.ts';
import { Faults } from '../../backend/faults.ts';
import { settle } from '../../backend/options.ts';
import { messageIds, type Pod } from '../../backend/pod.ts';
import { Session } from '../../backend/session.ts';
import { Decoder, negotiateVersion } from '../../stomp/index.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

const value = fc.oneof(
  fc.constantFrom('1', '2', 't', 'auto', 'client', 'client-individual', '/topic/x', '/user/queue/x', '/user/a/queue/x'),
  fc.constantFrom(
    '/app/echo',
    '/app/whoami',
    '/user/queue/echo',
    '1.0',
    '1.1',
    '1.0,1.1,1.2',
    '0,0',
    '10,10',
    'a\rb',
    '\\n',
    '\\t',
    '',
  ),
  fc.string({ maxLength: 5 }),
);
const names = [
  'id',
  'destination',
  'ack',
  'receipt',
  'transaction',
  'message-id',
  'subscription',
  'content-length',
  'x\\cy',
];
const commands = [
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ACK',
  'NACK',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'DISCONNECT',
  'CONNECT',
];
const frame = fc
  .tuple(
    fc.constantFrom(...commands),
    fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 }),
    fc.string({ maxLength: 3 }),
  )
  .map(([command, headers, body]) => {
    const lines = Object.entries(headers).map(([name, text]) => `${name}:${text}\n`);
    return `${command}\n${lines.join('')}\n${command === 'SEND' ? body : ''}\0`;
  });
const connect = fc
  .constantFrom('', '1.0', '1.1', '1.2')
  .map((v) => (v === '' ? 'CONNECT\n\n\0' : `CONNECT\naccept-version:${v}\nheart-beat:10,10\n\n\0`));
const chunk = fc.oneof(
  { weight: 8, arbitrary: frame.map((text) => new TextEncoder().encode(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
);

test('a session survives any client', () => {
  const run = fc.property(connect, fc.array(chunk, { maxLength: 30 }), fc.boolean(), (hello, chunks, service) => {
    vi.clearAllTimers();
    const settings = settle({
      name: 'p',
      serviceUsers: service ? ['a'] : [],
      maxSubscriptions: 3,
      maxUnacknowledged: 3,
    });
    const faults = new Faults(settings.faults, () => {});
    const broker = new Broker(faults.hand);
    const pod: Pod = { settings, faults, broker, phase: 'serving', server: 's', nextMessageId: messageIds() };
    const decoder = new Decoder({ peer: 'server', strict: true });
    const calls: string[] = [];
    const socket = {
      send: (bytes: Uint8Array) => {
        for (const found of decoder.push(bytes)) calls.push(found === 'beat' ? found : found.command);
        expect(decoder.error).toBeUndefined();
      },
      bufferedBytes: 0,
      pause: () => {},
      resume: () => {},
      close: (code: number) => void calls.push(`close ${code}`),
    };
    const session = new Session(pod, socket, 'a');
    session.receive(new TextEncoder().encode(hello));
    decoder.version = negotiateVersion(/version:(.*)/.exec(hello)?.[1]) ?? '1.2';
    for (const one of chunks) session.receive(one);
    session.end(1001, 'end of test');
    expect(calls[0]).toBe('CONNECTED');
    expect(calls.filter((call) => call.startsWith('close')).length).toBe(1);
    expect(calls.at(-1)).toMatch(/^close/);
    const error = calls.indexOf('ERROR');
    if (error >= 0) expect(calls.slice(error + 1)).toEqual(['close 1002']);
    expect(broker.addresses).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
  fc.assert(run, { numRuns: 3000 });
});
