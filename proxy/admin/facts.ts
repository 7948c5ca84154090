/** What the admin port tells about the proxy itself. */
import { answerJson, answerText } from './answer.ts';
import type { Door, Exchange } from './route.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, or what is only half well, in words for people. */
  readonly reasons: readonly string[];
}

/** Counts only: no user, no session is named. */
export interface SessionCounts {
  readonly sessions: number;
  readonly byPod: Readonly<Record<string, number>>;
  readonly byState: Readonly<Record<string, number>>;
}

export interface Health {
  readiness(): Readiness;
  sessions(): SessionCounts | Promise<SessionCounts>;
}

/** All metrics, as text. */
export type Scrape = () => Promise<{ readonly contentType: string; readonly text: string }>;

export function createFactsDoor(scrape: Scrape, health: Health): Door {
  const routes: Door['routes'] = [
    {
      method: 'GET',
      path: '/metrics',
      help: 'metrics for Prometheus',
      handle: (exchange) => answerScrape(scrape, exchange),
    },
    {
      method: 'GET',
      path: '/healthz',
      help: '200 while the process answers at all',
      handle: ({ response }) => answerJson(response, 200, { status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      help: '200 when clients may come, else 503 with the reasons',
      handle: ({ response }) => ready(health.readiness(), response),
    },
    {
      method: 'GET',
      path: '/v1/sessions',
      help: 'how many sessions there are, by pod and by state',
      handle: async ({ response }) => answerJson(response, 200, await health.sessions()),
    },
  ];
  return { routes, close: () => {} };
}

async function answerScrape(scrape: Scrape, { response }: Exchange): Promise<void> {
  const { contentType, text } = await scrape();
  answerText(response, 200, text, { 'content-type': contentType });
}

function ready({ ready, reasons }: Readiness, response: Exchange['response']): void {
  answerJson(response, ready ? 200 : 503, { ready, reasons });
}
