/** Requests from worker to worker: whole, as they came, and from nobody else. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { upgradeRequest } from '../../proxy/identity/index.ts';
import { homeOf } from '../../proxy/workers/home.ts';
import { InnerClient, openInnerDoor } from '../../proxy/workers/inner-door.ts';
import { WorkerHomes } from '../../proxy/workers/worker-homes.ts';

const SECRET = 'open sesame';

async function door(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const { port, close } = await openInnerDoor(SECRET, answer);
  onTestFinished(close);
  return port;
}

/** A worker that passes everything on. */
async function passing(pass: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(pass);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function innerClient(secret = SECRET): InnerClient {
  const client = new InnerClient(secret);
  onTestFinished(() => client.close());
  return client;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return String(Buffer.concat(chunks));
}

async function ask(port: number, more: string[], body = ''): Promise<IncomingMessage> {
  const headers = ['Host', 'proxy', ...more];
  const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/a%2Fb?c=d', headers });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

test('a request arrives as it came: target, repeated headers, body, and where it is from; nothing of the passage is left', async () => {
  const seen: unknown[] = [];
  const inner = await door(async (request, response) => {
    const { rawHeaders, url, remoteAddress } = upgradeRequest(request);
    const named = rawHeaders.filter((_, index) =>
      /^(username|holdfast-inner.*)$/i.test(rawHeaders[index - (index % 2)] ?? ''),
    );
    seen.push({ url, remoteAddress, named, body: await bodyOf(request) });
    response.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
    response.end('answer');
  });
  const client = innerClient();
  const outer = await passing((request, response) => client.pass(inner, request, response));
  const headers = [
    'Username',
    'alice',
    'Username',
    'mallory',
    'holdfast-inner-peer',
    '10.0.0.1',
    'Content-Length',
    '4',
  ];
  const answer = await ask(outer, headers, 'body');
  expect([answer.statusCode, answer.headers['set-cookie'], await bodyOf(answer)]).toEqual([
    201,
    ['a=1', 'b=2'],
    'answer',
  ]);
  const named = ['Username', 'alice', 'Username', 'mallory'];
  expect(seen).toEqual([{ url: '/a%2Fb?c=d', remoteAddress: '127.0.0.1', named, body: 'body' }]);
});

test.each([
  ['without the secret', []],
  ['with another one', ['holdfast-inner-secret', 'open sesamo']],
  ['with a longer one', ['holdfast-inner-secret', `${SECRET} `.repeat(2)]],
])('%s the door stays closed', async (_, headers) => {
  const inner = await door((_request, response) => response.end('open'));
  const answer = await ask(inner, headers);
  answer.resume();
  expect(answer.statusCode).toBe(403);
});

test('an answer that breaks off breaks off for the client too, and one that never comes is a 503', async () => {
  const inner = await door((_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half');
    response.socket?.destroySoon();
  });
  const client = innerClient();
  const outer = await passing((request, response) => client.pass(inner, request, response));
  await expect(ask(outer, []).then(bodyOf)).rejects.toThrow();
  const nobody = await passing((request, response) => client.pass(1, request, response));
  const answer = await ask(nobody, []);
  answer.resume();
  expect(answer.statusCode).toBe(503);
});

test('a client that leaves is not worked for any longer', async () => {
  const left = Promise.withResolvers<void>();
  const inner = await door((_request, response) => {
    response.once('close', () => left.resolve());
    response.write('begun');
  });
  const client = innerClient();
  const outer = await passing((request, response) => client.pass(inner, request, response));
  const answer = await ask(outer, []);
  await once(answer, 'data');
  answer.destroy();
  await left.promise;
});

test('what is at home, or was passed on already, is answered here; a home that is away is a 503', async () => {
  const homes = new WorkerHomes(0, 2, SECRET, () => {});
  onTestFinished(() => homes.close());
  const there = ['a', 'b', 'c', 'd', 'e'].find((name) => homeOf(name, 2) === 1) ?? '';
  const here = ['a', 'b', 'c', 'd', 'e'].find((name) => homeOf(name, 2) === 0) ?? '';
  expect([homes.isHere(here), homes.isHere(there)]).toEqual([true, false]);
  const forwarded: boolean[] = [];
  const outer = await passing((request, response) => {
    forwarded.push(homes.forward(here, request, response), homes.forward(there, request, response));
    homes.notePassedOn(request);
    forwarded.push(homes.forward(there, request, response));
  });
  const answer = await ask(outer, []);
  answer.resume();
  expect(answer.statusCode).toBe(503);
  expect(forwarded).toEqual([false, true, false]);
});
