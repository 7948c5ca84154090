/** A client of the demo that prints what it gets. Usage: client.ts ws://HOST:PORT/ws USER */
import process from 'node:process';
import { type RawData, WebSocket } from 'ws';
import { Decoder, encode, type Frame } from '../../stomp/index.ts';

const SUBSCRIPTIONS = ['/user/queue/news', '/holdfast/session'];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function answer(socket: WebSocket, user: string, frame: Frame): void {
  const text = new TextDecoder().decode(frame.body);
  switch (frame.command) {
    case 'CONNECTED':
      SUBSCRIPTIONS.forEach((destination, id) => {
        socket.send(encode('SUBSCRIBE', { id, destination, receipt: destination }));
      });
      return;
    case 'RECEIPT':
      if (frame.header('receipt-id') === SUBSCRIPTIONS[0])
        say(`connected as ${user}; messages to /queue/news come here`);
      return;
    case 'MESSAGE':
      return say(`${frame.header('destination')}: ${text}`);
    case 'ERROR':
      return say(`ERROR ${frame.header('message') ?? ''}: ${text}`);
  }
}

function octets(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function connect(url: string, user: string): void {
  const socket = new WebSocket(url, ['v12.stomp'], { headers: { Username: user } });
  const decoder = new Decoder({ peer: 'server' });
  socket.on('open', () => socket.send(encode('CONNECT', { 'accept-version': '1.2', host: 'demo' })));
  socket.on('message', (data) => {
    for (const frame of decoder.push(octets(data))) if (frame !== 'beat') answer(socket, user, frame);
  });
  socket.on('error', ({ message }) => {
    process.stderr.write(`${url}: ${message}\n`);
    process.exitCode = 1;
  });
  socket.on('close', (code) => say(`closed (${code})`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => socket.close(1000));
}

const [url, user] = process.argv.slice(2);
if (url === undefined || user === undefined) {
  process.stderr.write('Usage: client ws://HOST:PORT/ws USER\n');
  process.exitCode = 2;
} else connect(url, user);
