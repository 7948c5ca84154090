/** Proxies of the bench that are Node programs of this folder. They print their port, and take the pods as arguments. */
import { nodeProgram } from '../../test/experiment/child.ts';
import type { ProxySetting, RunningProxy } from './proxy.ts';

/** @param file in this folder */
export async function startNodeProxy(name: string, file: string, { pods }: ProxySetting): Promise<RunningProxy> {
  const program = nodeProgram(name, `bench/proxies/${file}`, pods);
  const port = await program.line((line) => /^listening (\d+)$/.exec(line)?.[1]);
  return { addresses: [`127.0.0.1:${port}`], pid: program.pid, stop: () => program.kill() };
}
