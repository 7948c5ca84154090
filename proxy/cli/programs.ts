import type { Config } from '../config/index.ts';
import type { Log } from '../log.ts';
import type { LogLosses } from '../log-output.ts';
import type { Running } from '../running.ts';

/** What runs until it is stopped. */
export interface Programs {
  serve(config: Config, log: Log, losses: LogLosses): Promise<Running>;
  start(): Promise<Running>;
}

/** Loaded when called: `ring` and `check` need neither the proxy nor the Kubernetes client, which takes half a second. */
export const programs: Programs = {
  serve: async (config, log, losses) => (await import('../serve.ts')).serve(config, log, losses),
  start: async () => (await import('../demo.ts')).start(),
};
