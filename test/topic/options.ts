/** The command line of the topic measurement. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../support/command.ts';
import type { TopicOptions, Way } from './run.ts';

const FLAGS = {
  way: { type: 'string', default: 'holdfast' },
  rate: { type: 'string', default: '1000' },
  publishers: { type: 'string', default: '1' },
  subscribers: { type: 'string', default: '2' },
  seconds: { type: 'string', default: '12' },
  moves: { type: 'string', default: '3' },
  ids: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run topic -- [FLAG…]

One topic of a RabbitMQ cluster of two nodes, at a rate, while all subscribers are moved from node to node. A ledger counts
what each of them lost, got twice or in the wrong order. Prints a line of JSON. Exits 1 when anything was.

  --way WAY         holdfast: through the proxy; plain: subscribers switch by themselves, as make before break is commonly
                    done, the old subscription ended when the new one is answered; default holdfast
  --rate N          messages per second in all; default 1000
  --publishers N    at the nodes in turn; default 1
  --subscribers N   default 2
  --seconds N       in which messages are sent; default 12
  --moves N         how often all subscribers are moved; default 3
  --ids             messages carry holdfast-id
  --help            show this
`;

/** Undefined asks for help. Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): TopicOptions | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  if (values.help) return undefined;
  return {
    way: wayOf(values.way),
    rate: wholeNumber('rate', values.rate, { least: 1, most: MOST }),
    publishers: wholeNumber('publishers', values.publishers, { least: 1, most: MOST }),
    subscribers: wholeNumber('subscribers', values.subscribers, { least: 1, most: MOST }),
    durationMs: wholeNumber('seconds', values.seconds, { least: 1, most: MOST }) * 1000,
    moves: wholeNumber('moves', values.moves, { least: 1, most: MOST }),
    ids: values.ids,
  };
}

function wayOf(text: string): Way {
  if (text === 'holdfast' || text === 'plain') return text;
  throw new Error(`--way ${text} is unknown; write holdfast or plain`);
}

/** Enough for any machine that this runs on. */
const MOST = 1_000_000;
