/**
 * A real browser, with the stock builds of sockjs-client and stomp.js on a page of another origin, each transport in turn,
 * while the pod of its user is replaced.
 */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { nowMs } from '../experiment/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import { startProxy } from '../support/proxy.ts';
import { rollWhilePushing } from '../support/rolling.ts';
import { connectInPage } from './client.ts';
import { servePages } from './pages.ts';

const USER = 'alice';
const DESTINATION = '/queue/news';
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ARGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
});

afterAll(() => browser?.close());

// sockjs-client opens its event source without credentials, so to another origin it takes no cookies along.
test.each([
  ['websocket', ''],
  ['xhr-streaming', ''],
  ['eventsource', `?user=${USER}`],
  ['xhr-polling', ''],
])('%s%s: there and back, nothing lost, doubled or swapped, no close', async (transport, query) => {
  const origin = await servePages(USER);
  const backends = [await started({ name: 'pod-1' }), await started({ name: 'pod-2' })] as const;
  const flags = ['--user', 'query:user,cookie:user', '--origins', origin, '--handover-drain-max', '500ms'];
  const proxy = await startProxy(backends.slice(0, 1), flags);
  const ledger = new Ledger();
  let closes = 0;
  const page = await browser.newPage();
  await page.exposeFunction('heard', (body: string) => {
    ledger.received({ user: USER, destination: DESTINATION }, Number(body), nowMs());
  });
  await page.exposeFunction('hasClosed', () => {
    closes++;
  });
  await page.goto(origin);
  const used = await page.evaluate(connectInPage, {
    url: `${proxy.http}/ws${query}`,
    transport,
    destination: `/user${DESTINATION}`,
  });
  expect(used).toBe(transport);
  await rollWhilePushing({ proxy, backends, user: USER, destination: DESTINATION, ledger });
  expect(ledger.findings()).toEqual([]);
  expect(closes).toBe(0);
  await page.evaluate('leave()');
  await page.close();
});

test('a page of an origin that is not allowed gets no session by any transport', async () => {
  const origin = await servePages(USER);
  const proxy = await startProxy([await started()], ['--user', 'cookie:user', '--origins', 'http://other.test']);
  const page = await browser.newPage();
  await page.goto(origin);
  const end = await page.evaluate(
    `new Promise((resolve) => { new SockJS('${proxy.http}/ws').onclose = ({ code, reason }) => resolve({ code, reason }) })`,
  );
  expect(end).toEqual({ code: 1002, reason: 'Cannot connect to server' });
  await page.close();
});
