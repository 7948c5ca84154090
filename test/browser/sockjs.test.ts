/**
 * A real browser, with the stock builds of sockjs-client and stomp.js on a page of another origin, each transport in turn,
 * while the pod of its user is replaced.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { nowMs } from '../experiment/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import { startProxy } from '../support/proxy.ts';
import { rollWhilePushing } from '../support/rolling.ts';
import { launchChromium, openPage } from './chromium.ts';
import { connectInPage, subscribeInPage } from './client.ts';
import { servePages } from './pages.ts';

const USER = 'alice';
const DESTINATION = '/queue/news';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
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
  const lane = { user: USER, destination: DESTINATION };
  const client = await openPage(browser, origin, (body) => ledger.received(lane, Number(body), nowMs()));
  const used = await client.page.evaluate(connectInPage, { url: `${proxy.http}/ws${query}`, transport });
  expect(used).toBe(transport);
  await client.page.evaluate(subscribeInPage, { destination: `/user${DESTINATION}`, receipt: 'live' });
  await rollWhilePushing({ proxy, backends, ...lane, ledger });
  expect(ledger.findings()).toEqual([]);
  expect(client.closes).toBe(0);
  await client.page.evaluate('leave()');
});

test('a page of an origin that is not allowed gets no session by any transport', async () => {
  const origin = await servePages(USER);
  const proxy = await startProxy([await started()], ['--user', 'cookie:user', '--origins', 'http://other.test']);
  const { page } = await openPage(browser, origin, () => {});
  const end = await page.evaluate(
    `new Promise((resolve) => { new SockJS('${proxy.http}/ws').onclose = ({ code, reason }) => resolve({ code, reason }) })`,
  );
  expect(end).toEqual({ code: 1002, reason: 'Cannot connect to server' });
});
