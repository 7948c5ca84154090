import { EventEmitter } from 'node:events';

/** As much of a response as a receiver needs: everything leaves at once, or nothing does. */
export class Response extends EventEmitter {
  text = '';
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  headersSent = false;
  status = 200;
  writableLength = 0;
  isStuck = false;

  setHeaders(): void {}

  writeHead(status: number): void {
    this.status = status;
  }

  write(text: string, done?: () => void): void {
    this.text += text;
    if (this.isStuck) this.writableLength += text.length;
    else done?.();
  }

  end(text: string): void {
    this.write(text);
    this.writableEnded = true;
    if (!this.isStuck) this.leave();
  }

  /** All of it has left us. */
  leave(): void {
    this.writableLength = 0;
    this.writableFinished = true;
    this.emit('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
