/** Tells a person how far it is: a bar on a terminal, lines elsewhere. */
const BAR_COLUMNS = 30;

export interface Progress {
  /** How far the run at hand is. */
  at(done: number, of: number): void;
  /** A line that stays. */
  line(text: string): void;
}

export function createProgress(out: NodeJS.WriteStream, title: () => string): Progress {
  if (!out.isTTY) return { at: () => {}, line: (text) => void out.write(`${text}\n`) };
  return {
    at: (done, of) => {
      const filled = Math.round((done / Math.max(1, of)) * BAR_COLUMNS);
      const bar = '█'.repeat(filled).padEnd(BAR_COLUMNS, '·');
      out.write(`\r\u001b[K${bar} ${done}/${of} ${title()}`.slice(0, out.columns + 4));
    },
    line: (text) => void out.write(`\r\u001b[K${text}\n`),
  };
}
