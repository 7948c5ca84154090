/** The readiness probe of a running container: GET, at once and then each period, until its thresholds turn what it says. */
import { get } from 'node:http';
import { pause } from './pause.ts';
import type { Container, Probe } from './pod.ts';

export interface Readiness {
  readonly ip: string;
  readonly container: Container;
  /** Ends with the container. */
  readonly signal: AbortSignal;
  /** Called when it changes; it begins as not ready. */
  readonly onChange: (ready: boolean) => void;
}

/** A container without a probe is ready as soon as it runs. Resolves when the signal has come. */
export async function probeReadiness({ ip, container, signal, onChange }: Readiness): Promise<void> {
  const { readinessProbe: probe } = container;
  if (probe === undefined) return onChange(true);
  const url = `http://${ip}:${portOf(container, probe)}${probe.httpGet.path}`;
  await pause((probe.initialDelaySeconds ?? 0) * 1000);
  let ready = false;
  for (let row = 0; !signal.aborted; await pause(probe.periodSeconds * 1000)) {
    const said = await succeeds(url, probe.timeoutSeconds * 1000);
    row = said === ready ? 0 : row + 1;
    if (signal.aborted || row < (said ? probe.successThreshold : probe.failureThreshold)) continue;
    ready = said;
    row = 0;
    onChange(ready);
  }
}

/** As kubelet has it: 200 to 399 within the time, on a connection of its own. */
function succeeds(url: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    asked.on('error', () => resolve(false));
  });
}

function portOf({ name, ports = [] }: Container, { httpGet }: Probe): number {
  if (typeof httpGet.port === 'number') return httpGet.port;
  const found = ports.find((port) => port.name === httpGet.port);
  if (found === undefined) throw new Error(`container ${name} has no port named ${httpGet.port} for its probe`);
  return found.containerPort;
}
