/**
 * By what two copies of one message are known, when two pods deliver it: everything that the producer said, and nothing that a
 * link adds. RabbitMQ's copies differ in `subscription`, `message-id`, `ack` and `redelivered`, and in nothing else. Those of an Artemis
 * cluster differ in what a node adds for its own use, too: where it has passed the message on to, `_AMQ_ROUTE_TO…`.
 */
import type { Frame } from '../../stomp/index.ts';

const OF_THE_LINK = new Set(['subscription', 'message-id', 'ack', 'redelivered']);
/** Names of Artemis' own begin with this. */
const OF_THE_BROKER = '_AMQ_';
const LF = 10;

/** Two hashes of 32 bits and the length: among the thousands of messages of a handover none is taken for another by chance. */
export function fingerprint(message: Frame): string {
  const hash = new Hash();
  const names = message.headerNames()[Symbol.iterator]();
  for (const line of message.headerLines()) {
    const name = names.next().value ?? '';
    if (OF_THE_LINK.has(name) || name.startsWith(OF_THE_BROKER)) continue;
    hash.add(line);
    hash.addOctet(LF);
  }
  hash.add(message.body);
  return hash.text();
}

/** The mixing of MurmurHash, twice with other seeds and multipliers; octet by octet, since no hash of the platform is pure. */
class Hash {
  #a = 0x9e37_79b9;
  #b = 0x85eb_ca6b;
  #length = 0;

  add(octets: Uint8Array): void {
    for (const octet of octets) this.addOctet(octet);
  }

  addOctet(octet: number): void {
    this.#a = Math.imul(this.#a ^ octet, 0x9e37_79b1);
    this.#b = Math.imul(this.#b ^ octet, 0x5f35_6495);
    this.#a ^= this.#a >>> 15;
    this.#b ^= this.#b >>> 13;
    this.#length++;
  }

  text(): string {
    return `${(this.#a >>> 0).toString(36)}.${(this.#b >>> 0).toString(36)}.${this.#length}`;
  }
}
