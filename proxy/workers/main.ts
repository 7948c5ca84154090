/** A worker process: clients, their sessions and their links. The primary starts it and tells it what to do. */
import process from 'node:process';
import { runWorker } from './worker.ts';

process.stdout.on('error', () => {
  // Who reads the log is gone; the sessions are worth more.
});
process.stderr.on('error', () => {
  // Nobody is left to be told.
});
// Ctrl-C reaches every process of the terminal's group: it is the primary that stops its workers, in order.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
await runWorker(process);
