/**
 * The messages of the bench: STOMP frames that differ in a few fields of fixed width only, so that they are written by copying and
 * checked by comparing.
 *
 *     p000017 0000000042 0000123456789012 xxxxxxxx…        100 octets
 *     │└─ user └─ number └─ µs of the clock when it was written
 *     └─ kind
 */
import { frame, headerBytes, OPCODE } from './web-socket.ts';

/** push: by a pod, when it wants to; echo: a client's own, back again; hello: a pod's answer to each SUBSCRIBE. */
export type Kind = 'push' | 'echo' | 'hello';

export const BODY_BYTES = 100;

const USER = { at: 1, digits: 6 };
const NUMBER = { at: 8, digits: 10 };
const TIME = { at: 19, digits: 16 };
const FIELDS_BYTES = 36;
const KIND_CODES: Readonly<Record<Kind, number>> = { push: 0x70, echo: 0x65, hello: 0x68 };
const ZERO = 0x30;

const BODY = 'p000000 0000000000 0000000000000000 '.padEnd(BODY_BYTES, 'x');
const messageWith = (headers: string) =>
  `MESSAGE\nsubscription:0\nmessage-id:0000000000\n${headers}destination:/user/queue/bench\n` +
  `content-type:text/plain\ncontent-length:${BODY_BYTES}\n\n${BODY}\0`;
const SEND = `SEND\ndestination:/app/echo\ncontent-type:text/plain\ncontent-length:${BODY_BYTES}\n\n${BODY}\0`;
/** Headers whose values end with the number. */
const NUMBERED_HEADERS = ['message-id:', 'holdfast-seq:bench:'];

/** A kind of STOMP frame of the bench, in a WebSocket frame. */
class Shape {
  readonly bytes: number;
  readonly #payload: Buffer;
  readonly #whole: Buffer;
  /** In the payload. */
  readonly #bodyAt: number;
  readonly #payloadAt: number;
  /** Where in the payload the number stands, before the body. */
  readonly #numbersAt: readonly number[];

  constructor(stomp: string, options: { readonly masked: boolean }) {
    this.#payload = Buffer.from(stomp);
    this.#whole = frame(OPCODE.text, this.#payload, options.masked);
    this.#bodyAt = stomp.indexOf(BODY);
    this.#payloadAt = headerBytes(this.#payload.length, options.masked);
    const numbered = NUMBERED_HEADERS.filter((header) => stomp.includes(`\n${header}`));
    this.#numbersAt = numbered.map((header) => stomp.indexOf(header) + header.length);
    this.bytes = this.#whole.length;
  }

  /** Writes the whole WebSocket frame at `at`. */
  write(target: Buffer, at: number, kind: Kind, user: number, n: number, time: number): void {
    this.#whole.copy(target, at);
    const body = at + this.#payloadAt + this.#bodyAt;
    target[body] = KIND_CODES[kind];
    writeDigits(target, body + USER.at, USER.digits, user);
    writeDigits(target, body + NUMBER.at, NUMBER.digits, n);
    writeDigits(target, body + TIME.at, TIME.digits, time);
    this.#writeNumbers(target, at, n);
  }

  #writeNumbers(target: Buffer, at: number, n: number): void {
    for (const fieldAt of this.#numbersAt) writeDigits(target, at + this.#payloadAt + fieldAt, NUMBER.digits, n);
  }

  /** The same body that came in, under other headers, which have its number. */
  writeBody(target: Buffer, at: number, from: Buffer, bodyAt: number): void {
    this.#whole.copy(target, at);
    from.copy(target, at + this.#payloadAt + this.#bodyAt, bodyAt, bodyAt + BODY_BYTES);
    this.#writeNumbers(target, at, numberAt(from, bodyAt));
  }

  /** Where the body of a payload begins; -1 when it is none of these frames, octet by octet but for the fields. */
  bodyIn(bytes: Buffer, from: number, to: number): number {
    if (to - from !== this.#payload.length) return -1;
    const body = from + this.#bodyAt;
    let at = 0;
    for (const fieldAt of this.#numbersAt) {
      if (!same(bytes, from + at, this.#payload, at, fieldAt)) return -1;
      at = fieldAt + NUMBER.digits;
    }
    const tail = this.#bodyAt + FIELDS_BYTES;
    const isWhole = same(bytes, from + at, this.#payload, at, this.#bodyAt);
    return isWhole && same(bytes, from + tail, this.#payload, tail, this.#payload.length) ? body : -1;
  }
}

export const message = new Shape(messageWith(''), { masked: false });
/** As producers number their messages: nothing has to be waited for to know that none is missing. */
export const sequenced = new Shape(messageWith('holdfast-seq:bench:0000000000\n'), { masked: false });
export const send = new Shape(SEND, { masked: true });

/** A body's fields. */
export function kindAt(bytes: Buffer, body: number): Kind | undefined {
  const code = bytes[body];
  if (code === KIND_CODES.push) return 'push';
  if (code === KIND_CODES.echo) return 'echo';
  return code === KIND_CODES.hello ? 'hello' : undefined;
}

export function userAt(bytes: Buffer, body: number): number {
  return readDigits(bytes, body + USER.at, USER.digits);
}

export function numberAt(bytes: Buffer, body: number): number {
  return readDigits(bytes, body + NUMBER.at, NUMBER.digits);
}

export function timeAt(bytes: Buffer, body: number): number {
  return readDigits(bytes, body + TIME.at, TIME.digits);
}

function same(a: Buffer, from: number, b: Buffer, bFrom: number, bTo: number): boolean {
  return b.compare(a, from, from + bTo - bFrom, bFrom, bTo) === 0;
}

function writeDigits(target: Buffer, at: number, digits: number, value: number): void {
  let left = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(left / 10);
    target[i] = ZERO + (left - tenth * 10);
    left = tenth;
  }
}

function readDigits(bytes: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) value = value * 10 + ((bytes[i] ?? 0) - ZERO);
  return value;
}
