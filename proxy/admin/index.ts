/** The admin port: what the proxy shows of itself, and the doors that others put beside it. */
export { answerJson, HttpError, readBody } from './answer.ts';
export type { Health, Readiness, Scrape, SessionCounts } from './facts.ts';
export type { Door, Exchange, Route } from './route.ts';
export { type Admin, type AdminOptions, createAdmin, type HostPort } from './server.ts';
