/** The reference STOMP backend, to be started inside another program: `holdfast/backend`. */
export type { FaultPlan } from './faults.ts';
export type { Log } from './log.ts';
export type { BackendOptions } from './options.ts';
export { type Backend, startBackend } from './server.ts';
