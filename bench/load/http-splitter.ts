/** Finds HTTP/1.1 messages with a Content-Length in what a connection brings. Nothing here checks what a server or client must check. */
import { HEAD_END } from './web-socket.ts';

export class HttpSplitter {
  readonly #whole: (head: string) => void;
  #chunk = '';

  /** @param whole is told of each message by its head */
  constructor(whole: (head: string) => void) {
    this.#whole = whole;
  }

  push(octets: Buffer): void {
    this.#chunk += octets.toString('latin1');
    for (;;) {
      const end = this.#chunk.indexOf(HEAD_END);
      if (end < 0) return;
      const head = this.#chunk.slice(0, end);
      const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
      const next = end + HEAD_END.length + Number(length);
      if (this.#chunk.length < next) return;
      this.#chunk = this.#chunk.slice(next);
      this.#whole(head);
    }
  }
}
