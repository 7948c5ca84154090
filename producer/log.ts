/** The part of pino's shape that the producer uses: fields first, then the message. No line names a user. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const silentLog: Log = { info: () => {}, warn: () => {} };
