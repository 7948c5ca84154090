/** The handshake with a pod of which the test says each octet. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requestUpgrade, type UpgradeOptions } from '../../proxy/links/upgrade-request.ts';
import type { LinkEnd } from '../../proxy/session/index.ts';
import { acceptOf } from '../../websocket/index.ts';

const FINE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n';

/** A pod that answers each connection so, when it has read the request. `(accept)` stands for the right one. */
async function podThatSays(answer: (socket: Socket, accept: string) => void) {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk) => {
      const request = chunk.toString('latin1');
      asked.push(request);
      answer(socket, acceptOf(/sec-websocket-key: (.*)\r\n/i.exec(request)?.[1] ?? ''));
    });
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { asked, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const OPTIONS: Omit<UpgradeOptions, 'address'> = {
  ...{ tls: false, hostHeader: undefined, path: '/ws', protocols: [], headers: [], timeoutMs: 60_000 },
};

type Outcome = { readonly head: string; readonly socket: Socket } | LinkEnd;

/** What became of it; a second word of the attempt is an error. */
async function outcomeOf(options: UpgradeOptions, then: (cancel: () => void) => void = () => {}): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const outcome = await new Promise<Outcome>((resolve) => {
    const settled = (one: Outcome) => {
      outcomes.push(one);
      resolve(one);
    };
    const cancel = requestUpgrade(options, {
      onOpen: ({ socket }, rest) => {
        onTestFinished(() => void socket.destroy());
        settled({ head: Buffer.from(rest).toString(), socket });
      },
      onFailure: settled,
    });
    expect(outcomes).toEqual([]);
    then(cancel);
  });
  if ('head' in outcome) outcome.socket.destroy();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(outcomes).toHaveLength(1);
  return outcome;
}

test('what comes behind the answer is given on, and nothing listens to the socket any more', async () => {
  const pod = await podThatSays((socket, accept) =>
    socket.write(`${FINE}Sec-WebSocket-Accept: ${accept}\r\n\r\nhello`),
  );
  const outcome = await outcomeOf({ ...OPTIONS, address: pod.address });
  if (!('head' in outcome)) throw new Error(JSON.stringify(outcome));
  expect(outcome.head).toBe('hello');
  expect(['close', 'error'].map((name) => outcome.socket.listenerCount(name))).toEqual([0, 0]);
});

test('the answer may come in single octets, behind an interim one', async () => {
  const pod = await podThatSays(async (socket, accept) => {
    socket.setNoDelay(true);
    for (const octet of `HTTP/1.1 103 Early Hints\r\n\r\n${FINE}Sec-WebSocket-Accept: ${accept}\r\n\r\n`) {
      socket.write(octet);
      await new Promise(setImmediate);
    }
  });
  expect(await outcomeOf({ ...OPTIONS, address: pod.address })).toMatchObject({ head: '' });
});

test('what is asked: the path and headers as they are, repeated ones too, and those of the handshake', async () => {
  const pod = await podThatSays((socket) => socket.end());
  const headers = ['X-Twice', '1', 'x-twice', '2', 'Cookie', 'a=\xe4'];
  await outcomeOf({
    ...OPTIONS,
    address: pod.address,
    path: '/a/../%2e?b="c"',
    protocols: ['v12.stomp', 'v11.stomp'],
    headers,
  });
  const [line, ...fields] = (pod.asked[0] ?? '').split('\r\n');
  expect(line).toBe('GET /a/../%2e?b="c" HTTP/1.1');
  expect(fields).toEqual([
    `Host: ${pod.address}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    expect.stringMatching(/^Sec-WebSocket-Key: [+/\w]{22}==$/),
    'Sec-WebSocket-Protocol: v12.stomp,v11.stomp',
    'X-Twice: 1',
    'x-twice: 2',
    'Cookie: a=\xe4',
    '',
    '',
  ]);
});

test('a Host of our own choice', async () => {
  const pod = await podThatSays((socket) => socket.end());
  await outcomeOf({ ...OPTIONS, address: pod.address, hostHeader: 'app.test:8443' });
  expect(pod.asked[0]).toContain('\r\nHost: app.test:8443\r\n');
});

describe('HTTP cannot say', () => {
  const headers: readonly string[][] = [
    ['a', 'b\r\nc: d'],
    ['a\n', 'b'],
    ['a', '\0'],
    ['a', '\u010a'],
  ];
  test.each(headers)('the header %j: %j', (...pair) => {
    expect(() => requestUpgrade({ ...OPTIONS, address: '127.0.0.1:1', headers: pair }, never)).toThrow(TypeError);
  });
  test.each(['', '/a b', '/a\r\nb', '/\u0100'])('the path %j', (path) => {
    expect(() => requestUpgrade({ ...OPTIONS, address: '127.0.0.1:1', path }, never)).toThrow(TypeError);
  });
});

const never = {
  onOpen: () => expect.unreachable('it was asked'),
  onFailure: () => expect.unreachable('it was asked'),
};

const ACCEPT = 'Sec-WebSocket-Accept: (accept)\r\n';
const unreachable = (message: string) => ({ kind: 'unreachable', message });

describe('no link after', () => {
  const failures: [what: string, answer: string, end: object][] = [
    ['404', 'HTTP/1.1 404 Not Found\r\n\r\n', { kind: 'handshake', status: 404 }],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n', { kind: 'handshake', status: 302 }],
    ['200 with all headers', `${FINE.replace('101', '200')}${ACCEPT}\r\n`, { kind: 'handshake', status: 200 }],
    ['another protocol', 'SSH-2.0-x\r\n', unreachable('The answer is not HTTP/1.1')],
    ['no Upgrade', `HTTP/1.1 101 S\r\nConnection: Upgrade\r\n${ACCEPT}\r\n`, unreachable('Invalid Upgrade header')],
    [
      'no Connection',
      `HTTP/1.1 101 S\r\nUpgrade: websocket\r\n${ACCEPT}\r\n`,
      unreachable('Invalid Connection header'),
    ],
    ['no accept', `${FINE}\r\n`, unreachable('Invalid Sec-WebSocket-Accept header')],
    ['two accepts', `${FINE}${ACCEPT}${ACCEPT}\r\n`, unreachable('Invalid Sec-WebSocket-Accept header')],
    [
      'another accept',
      `${FINE}${ACCEPT.toLowerCase()}x: y\r\n\r\n`.replace('(accept)', 'AAAA'),
      unreachable('Invalid Sec-WebSocket-Accept header'),
    ],
    [
      'an extension',
      `${FINE}${ACCEPT}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
      unreachable('Server sent an extension that was not asked for'),
    ],
    [
      'another protocol of STOMP',
      `${FINE}${ACCEPT}Sec-WebSocket-Protocol: v10.stomp\r\n\r\n`,
      unreachable('Server sent an invalid subprotocol'),
    ],
    ['half an answer', 'HTTP/1.1 101', unreachable('The connection ended during the handshake')],
  ];
  test.each(failures)('%s', async (_what, answer, end) => {
    const pod = await podThatSays((socket, accept) => socket.end(answer.replaceAll('(accept)', accept)));
    expect(await outcomeOf({ ...OPTIONS, address: pod.address, protocols: ['v12.stomp'] })).toEqual(end);
  });

  test('a reset', async () => {
    const pod = await podThatSays((socket) => socket.resetAndDestroy());
    expect(await outcomeOf({ ...OPTIONS, address: pod.address })).toEqual(unreachable('read ECONNRESET'));
  });

  test('a port that nobody listens on', async () => {
    const end = await outcomeOf({ ...OPTIONS, address: '127.0.0.1:1' });
    expect(end).toEqual(unreachable('connect ECONNREFUSED 127.0.0.1:1'));
  });

  test('no answer in time', async () => {
    const pod = await podThatSays(() => {});
    const end = await outcomeOf({ ...OPTIONS, address: pod.address, timeoutMs: 50 });
    expect(end).toEqual(unreachable('Opening handshake has timed out'));
  });

  test('it was given up', async () => {
    const pod = await podThatSays(() => {});
    const end = await outcomeOf({ ...OPTIONS, address: pod.address }, (cancel) => cancel());
    expect(end).toEqual(unreachable('The attempt was given up'));
  });
});
