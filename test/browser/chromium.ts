/** Chromium, and a page in it that is a stock client. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ARGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
}

export interface ClientPage {
  readonly page: Page;
  /** How often the socket in it was closed. */
  readonly closes: number;
}

/** Opens the page of `servePages`; it ends with its test. @param heard is told the body of each message */
export async function openPage(browser: Browser, origin: string, heard: (body: string) => void): Promise<ClientPage> {
  let closes = 0;
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.exposeFunction('heard', heard);
  await page.exposeFunction('hasClosed', () => {
    closes++;
  });
  await page.goto(origin);
  return {
    page,
    get closes() {
      return closes;
    },
  };
}
