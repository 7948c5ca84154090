import { pino } from 'pino';
import { type Admin, type AdminOptions, createAdmin } from '../../proxy/admin/index.ts';
import type { Log } from '../../proxy/log.ts';
import { createMetrics, type Metrics } from '../../proxy/metrics.ts';

export interface AdminHarness {
  readonly admin: Admin;
  readonly url: string;
  readonly metrics: Metrics;
  readonly logged: Record<string, unknown>[];
}

/** An admin port of this machine, on a free port unless `at` says which. */
export async function startAdmin(
  options: Partial<AdminOptions> & { readonly metrics?: Metrics } = {},
  at = 0,
): Promise<AdminHarness> {
  const metrics = options.metrics ?? createMetrics({ process: false });
  const logged: Record<string, unknown>[] = [];
  const log: Log = pino({}, { write: (line: string) => logged.push(JSON.parse(line)) });
  const health = {
    readiness: () => ({ ready: true, reasons: [] }),
    sessions: () => ({ sessions: 0, byPod: {}, byState: {} }),
  };
  const admin = createAdmin({ scrape: () => metrics.scrape(), health, doors: [], log, ...options });
  const { port } = await admin.listen({ host: '127.0.0.1', port: at });
  return { admin, url: `http://127.0.0.1:${port}`, metrics, logged };
}

export async function json(response: Response): Promise<{ status: number; body: unknown }> {
  return { status: response.status, body: await response.json() };
}
