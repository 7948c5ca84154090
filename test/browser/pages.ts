/** Serves the page of the browser tests with the stock builds of its two libraries, on an origin of its own. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const here = (path: string) => readFileSync(new URL(path, import.meta.url));
const FILES = new Map([
  ['/', { type: 'text/html; charset=utf-8', body: here('page.html') }],
  ['/sockjs.js', { type: 'text/javascript', body: here('../../node_modules/sockjs-client/dist/sockjs.min.js') }],
  ['/stomp.js', { type: 'text/javascript', body: here('../../node_modules/@stomp/stompjs/bundles/stomp.umd.min.js') }],
]);

/** @returns the origin; each page gets the cookie that names its user */
export async function servePages(user: string): Promise<string> {
  const server = createServer((request, response) => {
    const file = FILES.get(request.url ?? '');
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': file.type, 'set-cookie': `user=${user}; Path=/; SameSite=Lax` });
    response.end(file.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
