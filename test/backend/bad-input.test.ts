/** What a client can do wrong: always one clear ERROR and a close, and nobody else notices. */
import { describe, expect, test } from 'vitest';
import { RawClient, started, textOf } from './tools.ts';

const big = 'x'.repeat(80_000);

describe('before CONNECT', () => {
  test.each([
    ['garbage', 'hello?\n', 'unknown-command'],
    ['a frame of a server', 'MESSAGE\n\n\0', 'unknown-command'],
    ['binary garbage', '\xff\xfe\0', 'unknown-command'],
    ['SEND', 'SEND\ndestination:/topic/x\n\n\0', 'not connected'],
    ['DISCONNECT', 'DISCONNECT\nreceipt:1\n\n\0', 'not connected'],
    ['versions that nobody speaks', 'CONNECT\naccept-version:0.9,2.0\n\n\0', 'unsupported version'],
    ['heart-beat of words', 'CONNECT\naccept-version:1.2\nheart-beat:often\n\n\0', 'bad heart-beat'],
    ['heart-beat of one number', 'CONNECT\naccept-version:1.2\nheart-beat:1\n\n\0', 'bad heart-beat'],
    ['negative heart-beat', 'CONNECT\naccept-version:1.2\nheart-beat:-1,0\n\n\0', 'bad heart-beat'],
    ['a login with control characters', 'CONNECT\naccept-version:1.2\nlogin:a\x1bb\n\n\0', 'bad login'],
    ['CONNECT with a body', 'CONNECT\naccept-version:1.2\ncontent-length:2\n\nhi\0', 'unexpected-body'],
  ])('%s', async (_, text, message) => {
    const client = await RawClient.open((await started()).url);
    client.socket.send(Buffer.from(text, 'latin1'));
    expect((await client.frame('ERROR')).header('message')).toBe(message);
    expect((await client.closed).code).toBe(1002);
  });

  test('the answer to unknown versions names the known ones', async () => {
    const client = await RawClient.open((await started()).url);
    client.send('CONNECT', { 'accept-version': '3.0' });
    expect((await client.frame('ERROR')).header('version')).toBe('1.0,1.1,1.2');
  });
});

describe('after CONNECTED', () => {
  test.each([
    ['unknown command', 'HELLO\n\n\0', 'unknown-command'],
    ['a header without colon', 'SEND\nwhat\n\n\0', 'bad-header'],
    ['an undefined escape', 'SEND\ndestination:\\t\n\n\0', 'bad-escape'],
    ['a content-length of letters', 'SEND\ndestination:/topic/x\ncontent-length:x\n\n\0', 'bad-content-length'],
    ['no NUL after the body', 'SEND\ndestination:/topic/x\ncontent-length:1\n\nab\0', 'missing-nul'],
    ['a frame over the limit', `SEND\ndestination:/topic/x\n\n${big}\0`, 'frame-too-large'],
    ['headers over the limit', `SEND\ndestination:/topic/x\nh:${big.slice(0, 9000)}\n\n\0`, 'header-too-large'],
    ['too many headers', `SEND\ndestination:/topic/x\n${'a:b\n'.repeat(64)}\n\0`, 'too-many-headers'],
    ['a second CONNECT', 'CONNECT\naccept-version:1.2\n\n\0', 'already connected'],
    ['SEND without destination', 'SEND\n\nx\0', 'missing header'],
    ['SEND to nowhere', 'SEND\ndestination:/queue/x\n\nx\0', 'unknown destination'],
    ['SEND to a user', 'SEND\ndestination:/user/bob/queue/x\n\nx\0', 'not allowed'],
    [
      'SEND to a user in a transaction',
      'BEGIN\ntransaction:t\n\n\0SEND\ndestination:/user/bob/x\ntransaction:t\n\n\0',
      'not allowed',
    ],
    ['SEND in an unknown transaction', 'SEND\ndestination:/topic/x\ntransaction:t\n\nx\0', 'unknown transaction'],
    ['SUBSCRIBE without id', 'SUBSCRIBE\ndestination:/topic/x\n\n\0', 'missing header'],
    ['SUBSCRIBE with an empty id', 'SUBSCRIBE\nid:\ndestination:/topic/x\n\n\0', 'missing header'],
    ['SUBSCRIBE without destination', 'SUBSCRIBE\nid:1\n\n\0', 'missing header'],
    ['SUBSCRIBE to nowhere', 'SUBSCRIBE\nid:1\ndestination:/queue/x\n\n\0', 'unknown destination'],
    ['SUBSCRIBE with a bad ack mode', 'SUBSCRIBE\nid:1\ndestination:/topic/x\nack:maybe\n\n\0', 'bad ack mode'],
    ['an id twice', 'SUBSCRIBE\nid:t\ndestination:/topic/x\n\n\0'.repeat(2), 'subscription id in use'],
    ['UNSUBSCRIBE of nothing', 'UNSUBSCRIBE\nid:1\n\n\0', 'unknown subscription'],
    ['ACK of nothing', 'ACK\nid:1\n\n\0', 'unknown acknowledgement'],
    ['ACK without id', 'ACK\n\n\0', 'missing header'],
    ['BEGIN without a name', 'BEGIN\n\n\0', 'missing header'],
    ['BEGIN twice', 'BEGIN\ntransaction:t\n\n\0'.repeat(2), 'transaction already open'],
    ['COMMIT of nothing', 'COMMIT\ntransaction:t\n\n\0', 'unknown transaction'],
    ['ABORT of nothing', 'ABORT\ntransaction:t\n\n\0', 'unknown transaction'],
    [
      'ACK of nothing in a transaction',
      'BEGIN\ntransaction:t\n\n\0ACK\nid:1\ntransaction:t\n\n\0COMMIT\ntransaction:t\n\n\0',
      'unknown acknowledgement',
    ],
  ])('%s', async (_, text, message) => {
    const { url } = await started();
    const [client, bystander] = [await RawClient.connect(url), await RawClient.connect(url)];
    await bystander.subscribe('/topic/quiet');
    client.socket.send(text);
    const error = await client.frame('ERROR');
    expect(error.header('message')).toBe(message);
    expect(textOf(error).trim()).not.toBe('');
    expect((await client.closed).code).toBe(1002);
    bystander.send('SEND', { destination: '/topic/quiet' }, 'undisturbed');
    expect(await bystander.bodies(1)).toEqual(['undisturbed']);
  });

  test('an ERROR names the receipt that was asked for', async () => {
    const client = await RawClient.connect((await started()).url);
    client.send('SUBSCRIBE', { id: '1', destination: '/nowhere', receipt: 'r:1' });
    expect((await client.frame('ERROR')).header('receipt-id')).toBe('r:1');
  });

  test('what came before the garbage in the same message is done', async () => {
    const client = await RawClient.connect((await started()).url);
    client.socket.send('SUBSCRIBE\nid:1\ndestination:/topic/x\nreceipt:r\n\n\0rubbish\n\0');
    await client.frame('RECEIPT');
    await client.frame('ERROR');
  });

  test('a WebSocket message over twice the frame limit closes 1009', async () => {
    const client = await RawClient.connect((await started({ limits: { maxFrameBytes: 1000 } })).url);
    client.socket.send('x'.repeat(2001));
    expect((await client.closed).code).toBe(1009);
  });

  test('frames over several messages, several frames in one message, CRLF', async () => {
    const client = await RawClient.connect((await started()).url);
    const text =
      'SUBSCRIBE\r\nid:1\r\ndestination:/topic/x\r\n\r\n\0\nSEND\ndestination:/topic/x\n\nab\0SEND\ndestination:/topic/x\n\ncd\0';
    for (let i = 0; i < text.length; i += 7) client.socket.send(text.slice(i, i + 7));
    expect(await client.bodies(2)).toEqual(['ab', 'cd']);
  });
});

describe('upgrade', () => {
  test.each([
    [{ path: '/ws' }, '/other', {}, 404],
    [{ path: '/ws' }, '/ws/', {}, 404],
    [{ faults: { refuseUpgrade: 503 } }, '/ws', {}, 503],
    [{ maxConnections: 0 }, '/ws', {}, 503],
    [{}, '/ws', { username: ['alice', 'bob'] }, 400],
  ])('%j at %s with %j: %i', async (options, path, headers, status) => {
    const { address } = await started(options);
    await expect(RawClient.open(`ws://${address}${path}`, { headers })).rejects.toThrow(
      `Unexpected server response: ${status}`,
    );
  });

  test('the path counts without its query; without --path any will do', async () => {
    await RawClient.connect(`${(await started({ path: '/ws' })).url}?room=1`);
    await RawClient.connect(`ws://${(await started()).address}/any/where`);
  });

  test('maxConnections: the last free place and one more', async () => {
    const { url } = await started({ maxConnections: 2 });
    const first = await RawClient.connect(url);
    await RawClient.connect(url);
    await expect(RawClient.open(url)).rejects.toThrow('503');
    first.send('DISCONNECT');
    await first.closed;
    await RawClient.connect(url);
  });
});
