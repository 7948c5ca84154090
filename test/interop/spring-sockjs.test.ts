/**
 * SockJS in front of an ordinary Spring application, whose pods get plain WebSockets: sockjs-client in Node and on a page in
 * Chromium, each transport in turn, while the pod of its user is replaced, there and back.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../browser/chromium.ts';
import { connectInPage, subscribeInPage } from '../browser/client.ts';
import { servePages } from '../browser/pages.ts';
import { nowMs } from '../experiment/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { rollWhilePushing, untilHeard } from '../support/rolling.ts';
import { connectSockJs, TRANSPORTS } from '../support/sockjs.ts';
import { BUILD_MAX_MS } from './maven.ts';
import { DOOR, SpringPod } from './spring-pod.ts';

const USER = 'alice';
const LANE = { user: USER, destination: '/queue/news' };
const SUBSCRIPTION = { destination: `/user${LANE.destination}` };
const PROPERTIES = { 'messaging.producer-header-prefix': 'holdfast-' };

let pods: readonly [SpringPod, SpringPod];

beforeAll(async () => {
  const start = (name: string) => SpringPod.start({ name, properties: PROPERTIES });
  pods = [await start('spring-1'), await start('spring-2')];
}, BUILD_MAX_MS);

afterAll(() => Promise.all(pods?.map((pod) => pod.kill())));

/** What a client hears goes into the ledger, but for the messages by which it finds that it is subscribed. */
class Heard {
  readonly ledger = new Ledger();
  readonly note = (body: string): void => {
    this.any = true;
    if (body !== '0') this.ledger.received(LANE, Number(body), nowMs());
  };
  any = false;
}

function proxyFor(flags: readonly string[] = []): Promise<ProxyUnderTest> {
  const all = [
    '--handover-drain-max',
    '500ms',
    '--identity-header',
    'Username',
    '--gateway-url',
    `http://{address}${DOOR}`,
    ...flags,
  ];
  return startProxy(pods.slice(0, 1), all);
}

async function replacePods(proxy: ProxyUnderTest, heard: Heard): Promise<void> {
  await untilHeard({ proxy, ...LANE }, () => heard.any);
  await rollWhilePushing({ proxy, backends: pods, ...LANE, ledger: heard.ledger });
  expect(heard.ledger.findings()).toEqual([]);
}

describe('nothing lost, doubled or swapped, no close', () => {
  it.each(TRANSPORTS)('Node, %s', async (transport) => {
    const proxy = await proxyFor(['--user', 'query:user']);
    const heard = new Heard();
    const client = await connectSockJs(`${proxy.http}/ws?user=${USER}`, transport);
    client.stomp.subscribe(SUBSCRIPTION.destination, ({ body }) => heard.note(body));
    await replacePods(proxy, heard);
    expect(client.transports).toEqual([transport]);
    expect(client.closes).toBe(0);
  });

  describe('Chromium', () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await launchChromium();
    });

    afterAll(() => browser?.close());

    it.each(TRANSPORTS)('%s', async (transport) => {
      const origin = await servePages(USER);
      const proxy = await proxyFor(['--user', 'query:user', '--origins', origin]);
      const heard = new Heard();
      const client = await openPage(browser, origin, heard.note);
      const url = `${proxy.http}/ws?user=${USER}`;
      expect(await client.page.evaluate(connectInPage, { url, transport })).toBe(transport);
      await client.page.evaluate(subscribeInPage, SUBSCRIPTION);
      await replacePods(proxy, heard);
      expect(client.closes).toBe(0);
      await client.page.evaluate('leave()');
    });
  });
});
