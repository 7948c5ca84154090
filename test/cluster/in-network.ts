/**
 * Runs a program of this repository in a network of its own, where pods can have addresses of their own.
 *
 * The API server does not let an endpoint be in 127.0.0.0/8, so pods need other addresses, and the machine shall not get any. A network
 * namespace has nothing but its own loopback, to which a whole network can be given: nothing listens that anybody outside could reach,
 * no port is taken by somebody else, and nothing of it is left when its last process has ended. Nobody in it reaches the outside
 * either, so what must be downloaded is, before.
 *
 * Usage: node test/cluster/in-network.ts FILE [ARGUMENT…]
 */
import { spawn } from 'node:child_process';
import { POD_NETWORK } from './addresses.ts';
import { controlPlaneProgram } from './control-plane.ts';

const SETUP = `ip link set lo up && ip address add ${POD_NETWORK} dev lo && exec "$@"`;

await controlPlaneProgram();
const inside = [process.execPath, ...process.argv.slice(2)];
const child = spawn('unshare', ['--net', '--map-root-user', 'sh', '-c', SETUP, 'sh', ...inside], { stdio: 'inherit' });
child.on('error', (error) => {
  process.stderr.write(`${error.message}\nThe tests of a cluster need unshare (util-linux) and ip (iproute2).\n`);
  process.exitCode = 1;
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
