/**
 * A TCP proxy before one pod, that does to its connections what networks do: latency, stall (nothing passes, nothing is
 * lost), half-open (everything is swallowed, nothing is closed), reset.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type NetworkFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'half-open' };

/** The links of a pod that come at once; what overflows comes again after 1, 3, 7, … s, and no fault should do that but ours. */
const BACKLOG = 4096;
/** What may wait in one direction of a connection before its source is not read: what a long wire holds. */
const WIRE_MAX_BYTES = 1024 * 1024;

export class FaultDoor {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target: string;
  #fault: NetworkFault = { kind: 'none' };

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(target: string): Promise<FaultDoor> {
    const door = new FaultDoor(target);
    door.#server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG });
    await once(door.#server, 'listening');
    return door;
  }

  /** HOST:PORT */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** New connections go there: a pod that starts again behind the same address. */
  set target(target: string) {
    this.#target = target;
  }

  /** From now on, for old and new connections. What a half-open network has swallowed is dead when it ends. */
  set fault(fault: NetworkFault) {
    if (this.#fault.kind === 'half-open') this.reset();
    this.#fault = fault;
    for (const pair of this.#pairs) pair.fault = fault;
  }

  /** RST to both ends of every connection. */
  reset(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  #join(client: Socket): void {
    const [host = '', port] = this.#target.split(':');
    const pair = new Pair(client, connect(Number(port), host), this.#fault, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

/** One connection of a client and the one to the pod behind it. */
class Pair {
  readonly #sockets: readonly [Socket, Socket];
  readonly #wires: readonly [Wire, Wire];
  #fault: NetworkFault;

  constructor(client: Socket, pod: Socket, fault: NetworkFault, onEnd: () => void) {
    this.#sockets = [client, pod];
    this.#wires = [new Wire(client, pod), new Wire(pod, client)];
    this.#fault = fault;
    for (const socket of this.#sockets) {
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => {
        if (this.#fault.kind !== 'half-open') this.reset();
        if (this.#sockets.every(({ destroyed }) => destroyed)) onEnd();
      });
    }
    this.fault = fault;
  }

  set fault(fault: NetworkFault) {
    this.#fault = fault;
    for (const wire of this.#wires) wire.fault = fault;
    if (fault.kind !== 'half-open' && this.#sockets.some(({ destroyed }) => destroyed)) this.reset();
  }

  reset(): void {
    for (const wire of this.#wires) wire.cut();
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

interface Parcel {
  readonly bytes: Buffer | 'end';
  readonly dueMs: number;
}

/** One direction: what went in first comes out first, whatever the latency was and is. */
class Wire {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #parcels: Parcel[] = [];
  #bytes = 0;
  #fault: NetworkFault = { kind: 'none' };
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take('end'));
    to.on('drain', () => this.#resume());
  }

  set fault(fault: NetworkFault) {
    this.#fault = fault;
    if (fault.kind === 'stall') this.#from.pause();
    else this.#resume();
    this.#deliver();
  }

  cut(): void {
    clearTimeout(this.#timer);
    this.#parcels.length = 0;
    this.#bytes = 0;
  }

  #take(bytes: Parcel['bytes']): void {
    if (this.#fault.kind === 'half-open') return;
    const ms = this.#fault.kind === 'latency' ? this.#fault.ms : 0;
    this.#parcels.push({ bytes, dueMs: performance.now() + ms });
    this.#bytes += bytes.length;
    if (this.#bytes > WIRE_MAX_BYTES) this.#from.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    while (this.#fault.kind !== 'stall') {
      const [first] = this.#parcels;
      if (first === undefined) return;
      const waitMs = first.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), waitMs);
        return;
      }
      this.#parcels.shift();
      this.#bytes -= first.bytes.length;
      this.#pass(first.bytes);
    }
  }

  #pass(bytes: Parcel['bytes']): void {
    if (bytes === 'end') this.#to.end();
    else if (!this.#to.write(bytes)) this.#from.pause();
    else this.#resume();
  }

  #resume(): void {
    const isFull = this.#bytes > WIRE_MAX_BYTES || this.#to.writableNeedDrain;
    if (this.#fault.kind !== 'stall' && !isFull) this.#from.resume();
  }
}
