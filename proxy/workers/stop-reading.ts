import type { Socket } from 'node:net';

/**
 * A handle that is sent to another process stays open here until that one has it; what would be read here until then would be lost.
 * Streams have no word for that: a paused socket reads on until its buffer is full. (node:net does the same for its own
 * pauseOnConnect.) The stream is of no use in this process afterwards.
 */
export function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as Socket & { _handle?: { reading: boolean; readStop(): void } | null };
  socket.pause();
  if (!handle) return;
  handle.reading = false;
  handle.readStop();
}
