/**
 * Reads a JSON array of strings that comes in pieces: the body of an xhr_send.
 *
 * A client that could not send for a while puts all that has gathered into one body, as large as it may be, where a WebSocket
 * client would send many messages. So no body is ever held as a whole: each string is given away as soon as it ends, and only
 * one string, in its JSON form, has a bound.
 */

/** What was wrong with a body; goes to its sender. */
export class BrokenArray extends Error {
  /** There was no body at all. */
  readonly isEmpty: boolean;

  constructor(message: string, isEmpty = false) {
    super(message);
    this.isEmpty = isEmpty;
  }
}

/** What may come next. */
type Place = 'array' | 'first' | 'string' | 'comma' | 'next' | 'nothing';

const BLANKS = /[ \t\r\n]/;

export class StringArrayReader {
  readonly #maxChars: number;
  #place: Place = 'array';
  /** The string that has begun, from its quotation mark on. */
  #begun = '';
  #isEscaped = false;

  /** @param maxChars of one string, its quotation marks and escapes included */
  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /**
   * @returns the strings that end in this piece
   * @throws BrokenArray
   */
  push(piece: string): string[] {
    const strings: string[] = [];
    let at = 0;
    while (at < piece.length) {
      if (this.#place !== 'string') {
        this.#between(piece[at] as string);
        at++;
        continue;
      }
      const end = this.#endOfString(piece, at);
      this.#gather(piece.slice(at, end));
      at = end;
      if (this.#place !== 'string') strings.push(this.#parsed());
    }
    return strings;
  }

  /** Nothing comes after this. @throws BrokenArray when the array has not ended */
  end(): void {
    if (this.#place === 'array') throw new BrokenArray('Payload expected.', true);
    if (this.#place !== 'nothing') throw new BrokenArray('Broken JSON encoding.');
  }

  #between(character: string): void {
    if (BLANKS.test(character)) return;
    const place = this.#after(character);
    if (place === undefined) throw new BrokenArray('Broken JSON encoding.');
    if (place === 'string') this.#begun = character;
    this.#place = place;
  }

  #after(character: string): Place | undefined {
    switch (this.#place) {
      case 'array':
        return character === '[' ? 'first' : undefined;
      case 'first':
        return character === '"' ? 'string' : character === ']' ? 'nothing' : undefined;
      case 'next':
        return character === '"' ? 'string' : undefined;
      case 'comma':
        return character === ',' ? 'next' : character === ']' ? 'nothing' : undefined;
      default:
        return undefined;
    }
  }

  /** Behind the quotation mark that ends the string, or the end of the piece. */
  #endOfString(piece: string, from: number): number {
    for (let at = from; at < piece.length; at++) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (piece[at] === '\\') this.#isEscaped = true;
      else if (piece[at] === '"') {
        this.#place = 'comma';
        return at + 1;
      }
    }
    return piece.length;
  }

  #gather(part: string): void {
    if (this.#begun.length + part.length > this.#maxChars) {
      throw new BrokenArray(`A message is larger than ${this.#maxChars} characters of JSON.`);
    }
    this.#begun += part;
  }

  #parsed(): string {
    const text = this.#begun;
    this.#begun = '';
    try {
      return JSON.parse(text) as string;
    } catch {
      throw new BrokenArray('Broken JSON encoding.');
    }
  }
}
