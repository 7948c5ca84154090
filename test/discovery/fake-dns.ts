/** A name server on loopback with the records that a test gives it. */
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet';

export type Records = readonly Answer[];

/** As in the header of an answer, RFC 1035 section 4.1.1. */
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

export interface FakeDns {
  records: Records;
  /** Answers with an error, whatever is asked. */
  fails: boolean;
  /** Questions so far. */
  readonly asked: number;
  /** Asks this server alone, once. */
  readonly resolver: dns.Resolver;
  stop(): Promise<void>;
}

export async function startFakeDns(records: Records = []): Promise<FakeDns> {
  const socket = createSocket('udp4');
  let asked = 0;
  socket.on('message', (bytes, peer) => {
    asked++;
    const { id = 0, questions = [] } = decode(bytes);
    const answers = server.records.filter((record) =>
      questions.some(({ name, type }) => record.name === name && record.type === type),
    );
    const isKnown = server.records.some((record) => questions.some(({ name }) => record.name === name));
    const code = server.fails ? SERVER_FAILURE : isKnown ? 0 : NAME_ERROR;
    const answer = encode({
      type: 'response',
      id,
      flags: RECURSION_DESIRED | code,
      questions,
      answers: server.fails ? [] : [...answers],
    });
    socket.send(answer, peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  const server = {
    ...{ records, fails: false, resolver },
    get asked() {
      return asked;
    },
    stop: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
  return server;
}
