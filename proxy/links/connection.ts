/**
 * A TCP or TLS connection to a pod, read without Node's stream machinery: what comes is told to one reader.
 *
 * All connections are read into one buffer, which is lent to the reader: what goes on at once costs no memory, and no stream has to buffer, emit
 * and look for more.
 */
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { WINDOW_BYTES } from '../relay/frame-runs.ts';

export interface ConnectionOptions {
  /** HOST:PORT, with brackets around an IPv6 host. */
  readonly address: string;
  readonly tls: boolean;
  /** TLS server name; default the host of the address, unless it is an IP address. */
  readonly hostHeader: string | undefined;
}

/** @param lent its first `length` octets, of which others will be in the place when this returns */
export type Read = (lent: Uint8Array, length: number) => void;

/** No more than runs are looked for in; it is as much as Node itself reads at a time. */
const octets = Buffer.allocUnsafeSlow(WINDOW_BYTES);

export class Connection {
  /** Emits no `data`. */
  readonly socket: Socket;
  #read: Read;

  /** @param read until somebody else listens */
  constructor({ address, tls, hostHeader }: ConnectionOptions, read: Read) {
    this.#read = read;
    const [host, port] = split(address);
    const to = {
      host,
      port,
      noDelay: true,
      onread: { buffer: octets, callback: (length: number) => this.#take(length) },
    };
    const servername = hostHeader?.replace(/:\d+$/, '') ?? (isIP(host) === 0 ? host : '');
    this.socket = tls ? tlsConnect({ ...to, servername }) : netConnect(to);
  }

  /**
   * From now on nobody else is told what comes.
   * @param rest what the reader before was told and is not his: told once more when this call has returned
   */
  listen(read: Read, rest: Uint8Array): void {
    this.#read = read;
    if (rest.length > 0) process.nextTick(() => this.#read(rest, rest.length));
  }

  /** @returns whether to read on: that is decided by `pause` */
  #take(length: number): true {
    this.#read(octets, length);
    return true;
  }
}

function split(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1))];
}
