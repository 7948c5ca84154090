/** STOMP over real WebSockets, with raw frames and with stomp.js. */
import { describe, expect, test } from 'vitest';
import { post, RawClient, started, stompJs, textOf } from './tools.ts';

describe('subprotocol', () => {
  test.each([
    [['v10.stomp', 'v11.stomp', 'v12.stomp'], 'v12.stomp'],
    [['v10.stomp', 'v11.stomp'], 'v11.stomp'],
    [['soap', 'v10.stomp'], 'v10.stomp'],
    [[], ''],
  ])('%j: %j', async (protocols, chosen) => {
    const client = await RawClient.open((await started()).url, { protocols });
    expect(client.socket.protocol).toBe(chosen);
  });
});

describe('CONNECT', () => {
  test.each([
    [{}, '1.0'],
    [{ 'accept-version': '1.0' }, '1.0'],
    [{ 'accept-version': '1.1,1.0' }, '1.1'],
    [{ 'accept-version': '1.0,1.1,1.2' }, '1.2'],
    [{ 'accept-version': '1.2, 2.0' }, '1.2'],
  ])('%j: version %s', async (headers, version) => {
    const client = await RawClient.open((await started()).url);
    client.send('STOMP', headers);
    expect((await client.frame('CONNECTED')).header('version')).toBe(version);
  });

  test('CONNECTED names server, session and user', async () => {
    const { url } = await started();
    const client = await RawClient.open(url, { user: 'alice' });
    client.send('CONNECT', { 'accept-version': '1.2', login: 'not-asked' });
    const connected = await client.frame('CONNECTED');
    expect(connected.header('server')).toMatch(/^holdfast-backend\/\d+\.\d+\.\d+/);
    expect(connected.header('session')).toMatch(/^[0-9a-f-]{36}$/);
    expect(connected.header('user-name')).toBe('alice');
  });

  test.each([
    [{}, { login: 'bob' }, 'bob'],
    [{}, {}, undefined],
    [{ 'holdfast-user': 'carol' }, { login: 'bob' }, 'carol'],
    [{ 'holdfast-user': 'carol', username: 'dave' }, {}, 'dave'],
    [{ username: Buffer.from('zoë').toString('latin1') }, {}, 'zoë'],
    [{ username: 'zo\xeb' }, {}, 'zoë'],
  ])('upgrade %j, CONNECT %j: user %s', async (headers, login, user) => {
    const client = await RawClient.open((await started()).url, { headers });
    client.send('CONNECT', { 'accept-version': '1.2', ...login });
    expect((await client.frame('CONNECTED')).header('user-name')).toBe(user);
  });
});

describe('user destinations', () => {
  test('a service user reaches all sessions of a user, and nobody else', async () => {
    const { url } = await started({ serviceUsers: ['billing'] });
    const [first, second, other] = [
      await RawClient.connect(url, { user: 'a/b' }),
      await RawClient.connect(url, { user: 'a/b' }),
      await RawClient.connect(url, { user: 'b' }),
    ];
    for (const client of [first, second, other]) await client.subscribe('/user/queue/x');
    const service = await RawClient.connect(url, { user: 'billing' });
    const headers = { 'holdfast-id': 'i1', 'holdfast-seq': 's:1', 'content-type': 'text/plain', custom: 'a:b\nc' };
    service.send('SEND', { destination: '/user/a%2Fb/queue/x', receipt: 'r', ...headers }, 'héllo');
    const receipt = await service.frame('RECEIPT');
    expect([receipt.header('receipt-id'), receipt.header('holdfast-sessions')]).toEqual(['r', '2']);
    for (const client of [first, second]) {
      const message = await client.frame('MESSAGE');
      expect(textOf(message)).toBe('héllo');
      expect(Object.fromEntries(message.headers())).toMatchObject({
        ...headers,
        destination: '/user/queue/x',
        subscription: '/user/queue/x',
      });
      for (const name of ['receipt', 'transaction', 'ack']) expect(message.header(name)).toBeUndefined();
    }
    other.send('DISCONNECT', { receipt: 'bye' });
    await other.frame('RECEIPT');
  });

  test('a user without session: holdfast-sessions 0', async () => {
    const { url } = await started({ serviceUsers: ['billing'] });
    const service = await RawClient.connect(url, { user: 'billing' });
    service.send('SEND', { destination: '/user/nobody/queue/x', receipt: 'r' });
    expect((await service.frame('RECEIPT')).header('holdfast-sessions')).toBe('0');
  });

  test('an ordinary user is refused', async () => {
    const { url } = await started({ serviceUsers: ['billing'] });
    const client = await RawClient.connect(url, { user: 'alice' });
    client.send('SEND', { destination: '/user/alice/queue/x', receipt: 'r' });
    const error = await client.frame('ERROR');
    expect([error.header('message'), error.header('receipt-id')]).toEqual(['not allowed', 'r']);
    expect((await client.closed).code).toBe(1002);
  });
});

test('a topic reaches all its subscriptions, once each, in order', async () => {
  const { url } = await started();
  const [one, two] = [await RawClient.connect(url), await RawClient.connect(url)];
  await one.subscribe('/topic/x');
  await two.subscribe('/topic/x');
  await two.subscribe('/topic/y');
  for (let i = 0; i < 50; i++) one.send('SEND', { destination: '/topic/x' }, `${i}`);
  const expected = Array.from({ length: 50 }, (_, i) => `${i}`);
  expect(await one.bodies(50)).toEqual(expected);
  expect(await two.bodies(50)).toEqual(expected);
});

test('no two messages of a pod have the same id', async () => {
  const { url } = await started();
  const client = await RawClient.connect(url);
  await client.subscribe('/topic/x', { id: '1' });
  await client.subscribe('/topic/x', { id: '2' });
  for (let i = 0; i < 10; i++) client.send('SEND', { destination: '/topic/x' });
  const ids = new Set<string | undefined>();
  for (let i = 0; i < 20; i++) ids.add((await client.frame('MESSAGE')).header('message-id'));
  expect(ids.size).toBe(20);
});

test('bodies of any octets come through, as binary messages where text cannot be', async () => {
  const { url } = await started();
  const client = await RawClient.connect(url);
  await client.subscribe('/topic/x');
  const kinds: boolean[] = [];
  client.socket.on('message', (_: Buffer, binary: boolean) => kinds.push(binary));
  const octets = Uint8Array.from({ length: 256 }, (_, i) => i);
  client.send('SEND', { destination: '/topic/x' }, octets);
  expect([...(await client.frame('MESSAGE')).body]).toEqual([...octets]);
  client.send('SEND', { destination: '/topic/x' }, 'a\0b');
  expect(textOf(await client.frame('MESSAGE'))).toBe('a\0b');
  expect(kinds).toEqual([true, false]);
});

describe('applications', () => {
  test('echo answers the sender only', async () => {
    const { url } = await started();
    const [one, two] = [await RawClient.connect(url, { user: 'a' }), await RawClient.connect(url, { user: 'a' })];
    for (const client of [one, two]) await client.subscribe('/user/queue/echo');
    one.send('SEND', { destination: '/app/echo/1', 'content-type': 'text/x', n: '1' }, 'to one');
    two.send('SEND', { destination: '/app/echo' }, 'to two');
    const answer = await one.frame('MESSAGE');
    expect([textOf(answer), answer.header('content-type'), answer.header('n')]).toEqual(['to one', 'text/x', '1']);
    expect(await two.bodies(1)).toEqual(['to two']);
  });

  test('echo serves anonymous sessions too', async () => {
    const client = await RawClient.connect((await started()).url);
    await client.subscribe('/user/queue/echo');
    client.send('SEND', { destination: '/app/echo' }, 'x');
    expect(await client.bodies(1)).toEqual(['x']);
  });

  test('whoami answers SEND and SUBSCRIBE', async () => {
    const client = await RawClient.connect((await started()).url, { user: 'alice' });
    await client.subscribe('/user/queue/whoami');
    client.send('SEND', { destination: '/app/whoami' });
    expect(await client.bodies(1)).toEqual(['{"pod":"pod-1","user":"alice"}']);
    await client.subscribe('/app/whoami');
    expect(await client.bodies(1)).toEqual(['{"pod":"pod-1","user":"alice"}']);
  });
});

describe('receipts', () => {
  test('every frame that asks gets one, DISCONNECT the last before 1000', async () => {
    const client = await RawClient.connect((await started()).url, { user: 'a' });
    const frames: [string, Record<string, string>][] = [
      ['SUBSCRIBE', { id: '1', destination: '/topic/x', ack: 'client' }],
      ['BEGIN', { transaction: 't' }],
      ['SEND', { destination: '/topic/y', transaction: 't' }],
      ['COMMIT', { transaction: 't' }],
      ['BEGIN', { transaction: 'u' }],
      ['ABORT', { transaction: 'u' }],
      ['SEND', { destination: '/topic/y' }],
      ['UNSUBSCRIBE', { id: '1' }],
      ['DISCONNECT', {}],
    ];
    for (const [i, [command, headers]] of frames.entries()) {
      client.send(command, { ...headers, receipt: `${i}:${command}` });
    }
    for (const [i, [command]] of frames.entries()) {
      expect((await client.frame('RECEIPT')).header('receipt-id')).toBe(`${i}:${command}`);
    }
    expect(await client.next()).toEqual({ code: 1000, reason: '' });
  });

  test('DISCONNECT without a receipt closes too', async () => {
    const client = await RawClient.connect((await started()).url);
    client.send('DISCONNECT');
    expect((await client.closed).code).toBe(1000);
  });

  test("the receipt of SUBSCRIBE is a barrier: the producer's next message comes", async () => {
    const backend = await started();
    const client = await RawClient.connect(backend.url, { user: 'alice' });
    for (let i = 0; i < 20; i++) {
      await client.subscribe(`/user/queue/${i}`);
      expect((await post(backend, 'alice', `/queue/${i}`, `${i}`)).status).toBe(200);
      expect(await client.bodies(1)).toEqual([`${i}`]);
    }
  });

  test('--no-receipts: DISCONNECT only', async () => {
    const client = await RawClient.connect((await started({ faults: { noReceipts: true } })).url);
    client.send('SUBSCRIBE', { id: '1', destination: '/topic/x', receipt: '1' });
    client.send('SEND', { destination: '/topic/x', receipt: '2' }, 'x');
    client.send('DISCONNECT', { receipt: '3' });
    expect(await client.bodies(1)).toEqual(['x']);
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('3');
  });
});

describe('acknowledgements', () => {
  test.each([
    ['1.2', 'client-individual'],
    ['1.2', 'client'],
    ['1.1', 'client'],
    ['1.1', 'client-individual'],
  ])('STOMP %s, %s: ACK and NACK of known ids', async (version, ack) => {
    const client = await RawClient.connect((await started()).url, {}, { 'accept-version': version });
    await client.subscribe('/topic/x', { id: 's', ack });
    for (const command of ['ACK', 'NACK']) {
      client.send('SEND', { destination: '/topic/x' });
      const message = await client.frame('MESSAGE');
      const id =
        version === '1.2'
          ? { id: message.header('ack') }
          : { 'message-id': message.header('message-id'), subscription: 's' };
      client.send(command, { ...id, receipt: command });
      expect((await client.frame('RECEIPT')).header('receipt-id')).toBe(command);
    }
  });

  test('stomp.js acknowledges', async () => {
    const client = await stompJs((await started()).url, 'alice');
    const acked = new Promise<string>((resolve) => {
      client.watchForReceipt('acked', (frame) => resolve(frame.headers['receipt-id'] ?? ''));
      client.subscribe('/topic/x', (message) => message.ack({ receipt: 'acked' }), { ack: 'client-individual' });
    });
    client.publish({ destination: '/topic/x', body: 'x' });
    expect(await acked).toBe('acked');
  });
});

describe('transactions', () => {
  test('SENDs come with COMMIT, in order, and never after ABORT', async () => {
    const client = await RawClient.connect((await started()).url);
    await client.subscribe('/topic/x');
    client.send('BEGIN', { transaction: 'a' });
    client.send('BEGIN', { transaction: 'b' });
    client.send('SEND', { destination: '/topic/x', transaction: 'a' }, 'a1');
    client.send('SEND', { destination: '/topic/x', transaction: 'b' }, 'b1');
    client.send('SEND', { destination: '/topic/x' }, 'plain');
    client.send('SEND', { destination: '/topic/x', transaction: 'a' }, 'a2');
    client.send('ABORT', { transaction: 'b' });
    client.send('COMMIT', { transaction: 'a' });
    expect(await client.bodies(3)).toEqual(['plain', 'a1', 'a2']);
    client.send('DISCONNECT', { receipt: 'bye' });
    await client.frame('RECEIPT');
  });

  test('an ACK counts with COMMIT', async () => {
    const client = await RawClient.connect((await started()).url);
    await client.subscribe('/topic/x', { ack: 'client-individual' });
    client.send('SEND', { destination: '/topic/x' });
    const id = (await client.frame('MESSAGE')).header('ack');
    client.send('BEGIN', { transaction: 'a' });
    client.send('ACK', { id, transaction: 'a' });
    client.send('ABORT', { transaction: 'a' });
    client.send('ACK', { id, receipt: 'still known' });
    await client.frame('RECEIPT');
  });
});

test('stomp.js: 20 clients, private messages and a topic', async () => {
  const backend = await started();
  const users = Array.from({ length: 20 }, (_, i) => `user-${i}`);
  const received = new Map<string, string[]>();
  const clients = await Promise.all(users.map((user) => stompJs(backend.url, user)));
  const all = Promise.all(
    clients.map(
      (client, i) =>
        new Promise<void>((resolve) => {
          const bodies: string[] = [];
          received.set(users[i] ?? '', bodies);
          const take = (message: { body: string }) => bodies.push(message.body) === 11 && resolve();
          client.subscribe('/user/queue/x', take);
          client.subscribe('/topic/all', take, {});
        }),
    ),
  );
  await Promise.all(
    clients.map(
      (client) =>
        new Promise<void>((resolve) => {
          client.watchForReceipt('ready', () => resolve());
          client.subscribe('/topic/unused', () => {}, { receipt: 'ready' });
        }),
    ),
  );
  expect(backend.sessions()).toBe(20);
  for (let i = 0; i < 10; i++) {
    for (const user of users) expect(backend.deliver(user, '/queue/x', `${user} ${i}`)).toBe(1);
  }
  clients[0]?.publish({ destination: '/topic/all', body: 'to all' });
  await all;
  for (const user of users) {
    expect(received.get(user)).toEqual([...Array.from({ length: 10 }, (_, i) => `${user} ${i}`), 'to all']);
  }
  await Promise.all(clients.map((client) => client.deactivate()));
});

test('heart-beats go both ways over the wire', async () => {
  const { url } = await started({ heartBeatMs: [20, 20] });
  const client = await RawClient.connect(url, {}, { 'accept-version': '1.2', 'heart-beat': '20,20' });
  expect(await client.next()).toBe('beat');
  expect((await client.frame('ERROR')).header('message')).toBe('heart-beat missed');
});
