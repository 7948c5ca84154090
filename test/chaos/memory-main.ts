/**
 * Loaded into the proxy that chaos starts, which has `--expose-gc`: on SIGUSR2 it collects all garbage and says on a line of
 * stdout what is left. Memory that V8 has only not given back yet says nothing of a leak, and what is left says everything.
 */
process.on('SIGUSR2', () => {
  // Only the collection that V8 keeps for the last resort gives all free pages back.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ heapUsed, external, rss })}\n`);
});
