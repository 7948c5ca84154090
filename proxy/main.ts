#!/usr/bin/env node
import process from 'node:process';
import { programs } from './cli/programs.ts';
import { run } from './cli/run.ts';

// `holdfast check | head` ends the pipe before the text; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await run(process.argv.slice(2), { host: process, programs });
