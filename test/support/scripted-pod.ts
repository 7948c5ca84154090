/** A pod of which the test says each word: it notes every upgrade and frame, and answers only as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { serverFraming } from '../../proxy/sockjs/index.ts';
import { Decoder, encode, type Frame, type HeaderInit } from '../../stomp/index.ts';
import { eventually } from './proxy.ts';

/** One link of the proxy, as the pod sees it. */
export interface PodLink {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  readonly frames: Frame[];
  /** Raw WebSocket messages, heart-beats among them. */
  readonly messages: { readonly text: string; readonly binary: boolean }[];
  readonly closed: Promise<number>;
  send(command: string, headers?: HeaderInit, body?: string | Uint8Array): void;
  frame(command: string): Promise<Frame>;
}

export interface ScriptedPod {
  readonly address: string;
  readonly name: string;
  readonly links: PodLink[];
  /** The link number `index`, when it is there. */
  link(index: number): Promise<PodLink>;
}

export interface Script {
  /** Answers CONNECT and receipts as a pod should; default true. */
  readonly polite?: boolean;
  readonly connected?: HeaderInit;
  /** Status for upgrades instead of 101. */
  readonly refuse?: number;
  readonly onFrame?: (link: PodLink, frame: Frame) => void;
  readonly protocol?: (offered: Set<string>) => string | false;
  /** Takes TLS only. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Speaks SockJS on its WebSockets, as Spring does at /ws/{server}/{session}/websocket. */
  readonly sockJs?: boolean;
}

export async function scriptedPod(name: string, script: Script = {}): Promise<ScriptedPod> {
  const links: PodLink[] = [];
  const server = script.tls === undefined ? createServer() : createTlsServer(script.tls);
  const { protocol = (offered: Set<string>) => [...offered][0] ?? false } = script;
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: protocol });
  server.on('upgrade', (request, socket, head) => {
    if (script.refuse !== undefined) return void socket.end(`HTTP/1.1 ${script.refuse} Refused\r\n\r\n`);
    webSockets.handleUpgrade(request, socket, head, (ws) => links.push(linkOf(ws, request, script)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of links) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const link = async (index: number) => {
    await eventually(() => {
      if (links[index] === undefined) throw new Error(`pod ${name} has no link ${index}`);
    });
    return links[index] as PodLink;
  };
  return { name, address: `127.0.0.1:${port}`, links, link };
}

function linkOf(socket: WebSocket, request: IncomingMessage, script: Script): PodLink {
  const decoder = new Decoder({ peer: 'client', strict: false });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  const write = (bytes: Uint8Array) =>
    socket.send(script.sockJs ? serverFraming.wrap(Buffer.from(bytes).toString()) : bytes);
  const link: PodLink = {
    ...{ request, socket, closed, frames: [], messages: [] },
    send: (command, headers, body) => write(encode(command, headers, body)),
    frame: async (command) => {
      const find = () => link.frames.find((frame) => frame.command === command);
      await eventually(() => {
        if (find() === undefined) throw new Error(`no ${command} has come`);
      });
      return find() as Frame;
    },
  };
  socket.on('message', (data: Buffer, binary) => {
    link.messages.push({ text: data.toString(), binary });
    for (const frame of decoder.push(script.sockJs ? unframed(data) : data)) {
      if (frame === 'beat') continue;
      link.frames.push(frame);
      if (script.polite ?? true) answer(link, frame, script);
      script.onFrame?.(link, frame);
    }
  });
  if (script.sockJs) socket.send('o');
  return link;
}

function unframed(data: Buffer): Buffer {
  const said = serverFraming.read(data.toString());
  return Buffer.from(said.type === 'messages' ? said.messages.join('') : 'no SockJS');
}

function answer(link: PodLink, frame: Frame, script: Script): void {
  if (frame.command === 'CONNECT' || frame.command === 'STOMP') {
    link.send('CONNECTED', { version: '1.2', 'heart-beat': '0,0', ...script.connected });
  }
  const receipt = frame.header('receipt');
  if (receipt !== undefined) link.send('RECEIPT', { 'receipt-id': receipt });
}
