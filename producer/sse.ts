/**
 * The reading side of Server-Sent Events (WHATWG HTML, section 9.2.6, "interpreting an event stream"), as far as
 * `/v1/ring` needs it: lines end in LF, CR or CRLF, wherever chunks are cut; `data` lines join with LF; an empty line ends
 * the event; a line that begins with ':' is a comment, here: a sign of life.
 */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

export class EventStream {
  readonly #decoder = new TextDecoder();
  readonly #maxCharacters: number;
  #line = '';
  #afterCr = false;
  #event = '';
  #data: string[] = [];
  #dataCharacters = 0;

  /** @param maxCharacters of one event and of one line */
  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /** The events that this chunk completes. Throws RangeError when an event grows over the bound. */
  push(chunk: Uint8Array): ServerEvent[] {
    const events: ServerEvent[] = [];
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== 10 && code !== 13) {
        this.#afterCr = false;
        continue;
      }
      const secondOfCrLf = code === 10 && this.#afterCr;
      this.#afterCr = code === 13;
      if (!secondOfCrLf) this.#endLine(text.slice(start, i), events);
      start = i + 1;
    }
    this.#keep(text.slice(start));
    return events;
  }

  #keep(part: string): void {
    this.#line += part;
    if (this.#line.length > this.#maxCharacters) throw this.#tooLong();
  }

  #endLine(rest: string, events: ServerEvent[]): void {
    this.#keep(rest);
    const line = this.#line;
    this.#line = '';
    if (line === '') this.#endEvent(events);
    else if (!line.startsWith(':')) this.#field(line);
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') this.#event = value;
    if (name !== 'data') return;
    this.#data.push(value);
    this.#dataCharacters += value.length;
    if (this.#dataCharacters > this.#maxCharacters) throw this.#tooLong();
  }

  #endEvent(events: ServerEvent[]): void {
    if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
    this.#event = '';
    this.#data = [];
    this.#dataCharacters = 0;
  }

  #tooLong(): RangeError {
    return new RangeError(`an event of more than ${this.#maxCharacters} characters`);
  }
}
