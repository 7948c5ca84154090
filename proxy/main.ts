#!/usr/bin/env node
import process from 'node:process';
import { programs } from './cli/programs.ts';
import { run } from './cli/run.ts';

/** The reader is gone, of a pipe or of a socket: `holdfast check | head` ends before the text; that is no failure of ours. */
const READER_GONE = ['EPIPE', 'ECONNRESET'];

// A full disk is one, but no reason to end a proxy: its sessions are worth more than its log.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (READER_GONE.includes(code ?? '') || process.exitCode === 1) return;
  process.exitCode = 1;
  process.stderr.write(`holdfast: stdout: ${message}\n`);
});
process.stderr.on('error', () => {
  // Nobody is left to be told.
});
const code = await run(process.argv.slice(2), { host: process, programs });
process.exitCode ||= code;
