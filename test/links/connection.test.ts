/** Connections that are read into one buffer, over TCP and TLS. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, setDefaultCACertificates } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Connection, type Read } from '../../proxy/links/connection.ts';
import { makeAuthority } from '../discovery/fake-api/index.ts';

const authority = makeAuthority();
const { certPem: cert, keyPem: key } = authority.issue();
setDefaultCACertificates([authority.caPem]);

const MORE_THAN_A_READ = 300_000;
const NOTHING = new Uint8Array();

/** @returns a connection to a pod, and the pod's end of it */
async function connected(tls: boolean, read: Read, hostHeader?: string) {
  const accepted = Promise.withResolvers<Socket>();
  const server: Server = tls ? createTlsServer({ cert, key }, accepted.resolve) : createServer(accepted.resolve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new Connection({ address, tls, hostHeader }, read);
  connection.socket.on('error', accepted.reject);
  onTestFinished(() => {
    connection.socket.destroy();
    server.close();
  });
  const pod = await accepted.promise;
  onTestFinished(() => void pod.destroy());
  return { connection, pod };
}

const octets = Buffer.from(Array.from({ length: MORE_THAN_A_READ }, (_, i) => (i * 31) % 251));

/** Keeps copies of what is read. */
function collector() {
  const chunks: Uint8Array[] = [];
  const read: Read = (lent, length) => {
    chunks.push(Buffer.from(lent.subarray(0, length)));
    if (Buffer.concat(chunks).length >= octets.length) whole.resolve();
  };
  const whole = Promise.withResolvers<void>();
  return { chunks, read, whole: whole.promise };
}

describe.each([
  ['TCP', false],
  ['TLS', true],
])('over %s', (_, tls) => {
  test('what comes is told in chunks that are there until the reader returns', async () => {
    const one = collector();
    const other = collector();
    const ends = await Promise.all([connected(tls, one.read), connected(tls, other.read)]);
    for (const { pod } of ends) pod.write(octets);
    await Promise.all([one.whole, other.whole]);
    for (const { chunks } of [one, other]) {
      expect(chunks.length).toBeGreaterThan(1);
      expect(Buffer.concat(chunks).equals(octets)).toBe(true);
    }
  });

  test('who listens later is told the rest first, and nobody else any more', async () => {
    const { connection, pod } = await connected(tls, () => expect.unreachable());
    const told: string[] = [];
    const both = Promise.withResolvers<void>();
    connection.listen((lent, length) => {
      told.push(Buffer.from(lent.subarray(0, length)).toString());
      if (told.length === 2) both.resolve();
    }, Buffer.from('rest'));
    expect(told).toEqual([]);
    pod.write('more');
    await both.promise;
    expect(told).toEqual(['rest', 'more']);
  });

  test('while it is paused the pod has to wait', async () => {
    const { chunks, read, whole } = collector();
    const { connection, pod } = await connected(tls, read);
    connection.socket.pause();
    const taken = new Promise<void>((resolve) => void pod.write(octets, () => resolve()));
    let sent = 0;
    while (pod.write(Buffer.alloc(64 * 1024)) || sent < 64) {
      sent++;
      await new Promise(setImmediate);
    }
    expect(pod.writableLength).toBeGreaterThan(0);
    const before = Buffer.concat(chunks).length;
    expect(before).toBeLessThan(octets.length);
    connection.socket.resume();
    await Promise.all([whole, taken]);
    expect(Buffer.concat(chunks).subarray(0, octets.length).equals(octets)).toBe(true);
  });

  test('the end of the pod’s side is told', async () => {
    const { connection, pod } = await connected(tls, () => {});
    const ended = once(connection.socket, 'end');
    connection.listen(() => {}, NOTHING);
    pod.end();
    await ended;
  });
});

test('a TLS pod is asked for by the name in the Host header', async () => {
  const { connection } = await connected(true, () => {}, 'localhost:8443');
  expect((connection.socket as unknown as { servername: string }).servername).toBe('localhost');
});

test('a TLS pod whose certificate is for another name is refused', async () => {
  await expect(connected(true, () => {}, 'elsewhere.test')).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});
