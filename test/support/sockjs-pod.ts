/** A pod that takes SockJS WebSockets only, as Spring does at /ws/{server}/{session}/websocket. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Decoder, encode, type Frame, type HeaderInit } from '../../stomp/index.ts';
import { eventually } from './proxy.ts';

export interface FramedLink {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  readonly frames: Frame[];
  /** WebSocket messages as they came. */
  readonly said: { readonly text: string; readonly binary: boolean }[];
  readonly closed: Promise<number>;
  /** A SockJS frame as it stands. */
  say(frame: string): void;
  frame(command: string): Promise<Frame>;
}

export interface SockJsPod {
  readonly name: string;
  readonly address: string;
  readonly links: FramedLink[];
  link(index: number): Promise<FramedLink>;
}

export async function sockJsPod(name: string): Promise<SockJsPod> {
  const links: FramedLink[] = [];
  const server = createServer();
  const webSockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (ws) => links.push(linkOf(ws, request)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of links) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const link = async (index: number) => {
    await eventually(() => {
      if (links[index] === undefined) throw new Error(`pod ${name} has no link ${index}`);
    });
    return links[index] as FramedLink;
  };
  return { name, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, links, link };
}

function linkOf(socket: WebSocket, request: IncomingMessage): FramedLink {
  const decoder = new Decoder({ peer: 'client' });
  const link: FramedLink = {
    ...{ request, socket, frames: [], said: [] },
    closed: new Promise((resolve) => socket.once('close', resolve)),
    say: (frame) => socket.send(frame),
    frame: async (command) => {
      const find = () => link.frames.find((frame) => frame.command === command);
      await eventually(() => {
        if (find() === undefined) throw new Error(`no ${command} has come`);
      });
      return find() as Frame;
    },
  };
  socket.on('error', () => {});
  link.say('o');
  const send = (command: string, headers: HeaderInit) =>
    link.say(`a${JSON.stringify([Buffer.from(encode(command, headers)).toString()])}`);
  socket.on('message', (data: Buffer, binary) => {
    link.said.push({ text: data.toString(), binary });
    for (const text of JSON.parse(data.toString()) as string[]) {
      for (const frame of decoder.push(Buffer.from(text))) if (frame !== 'beat') answer(frame);
    }
  });
  const answer = (frame: Frame) => {
    link.frames.push(frame);
    if (frame.command === 'CONNECT') send('CONNECTED', { version: '1.2', 'heart-beat': '0,0' });
    const receipt = frame.header('receipt');
    if (receipt !== undefined) send('RECEIPT', { 'receipt-id': receipt });
  };
  return link;
}
