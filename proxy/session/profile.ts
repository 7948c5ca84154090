/**
 * What kinds of backends do differently, in one table. The session asks the profile instead of guessing.
 *
 * `spring` is Spring's simple broker, `spring-relay` Spring with a broker behind it; the brokers stand for themselves. What a
 * backend is shows in its CONNECTED: `server` names a broker, Spring adds `user-name` to what its broker says, and
 * Spring's simple broker names neither a server nor a session.
 */
import type { Frame } from '../../stomp/index.ts';
import { destinationMatcher } from './destinations.ts';

export type ProfileName = 'spring' | 'spring-relay' | 'rabbitmq' | 'activemq' | 'artemis' | 'embedded' | 'custom';

export type Barrier = 'receipt' | 'settle';

/**
 * - `unicast`: each message goes to one pod, so an old link has what came before the producers moved, a new one what came after.
 * - `fanout`: every pod delivers its own copy of each message.
 * - `shared`: a queue that all links consume; a message goes to one of them, and between them there is no order to keep.
 */
export type Delivery = 'unicast' | 'fanout' | 'shared';

/** The part of a profile that configurations may say otherwise. Patterns: see destinations.ts. */
export interface ProfileTerms {
  /** How a new link proves that its subscriptions are live: by RECEIPT, or by waiting. */
  readonly barrier: Barrier;
  /** Destinations of which every pod delivers its own copy of each message; of all others a message goes to one pod. */
  readonly fanout: readonly string[];
  /** Subscriptions that are not said again on another link, because they only ask for one reply. */
  readonly noReplay: readonly string[];
}

/** WebSocket messages that the backend takes; larger frames are cut. */
export interface ChunkRules {
  /** Largest text message. At least 32: any character fits, in SockJS framing too. */
  readonly textMaxBytes: number;
  /** Largest binary message. */
  readonly binaryMaxBytes: number;
  /** It reads one frame per message: nothing is cut, whatever its size. */
  readonly oneFramePerMessage: boolean;
}

interface Traits extends ProfileTerms {
  readonly name: ProfileName;
  /** Frames to these are taken by the application and no broker: no receipt is answered for them. */
  readonly unanswered: readonly string[];
  /** BEGIN, COMMIT and ABORT mean something. Where they do not, a SEND in a transaction is like any other. */
  readonly transactions: boolean;
  /** The answer to DISCONNECT comes after everything that was still to come (RabbitMQ and Artemis throw their backlog away). */
  readonly disconnectProves: boolean;
  /** What is given out again because it was not acknowledged says `redelivered:true`. */
  readonly marksRedelivery: boolean;
  /** Close codes by which this backend ends a session after it said ERROR; with any other the pod just died. */
  readonly endsAfterError: 'any-close' | readonly number[];
  /** Headers of CONNECT that name something of which a broker allows only one at a time: break before make. */
  readonly exclusiveConnect: readonly string[];
  /** The same of SUBSCRIBE, as `name:value`. */
  readonly exclusiveSubscribe: readonly string[];
  /** Destinations that are queues outside of the link: each message goes to one of all who consume it, in no order between them. */
  readonly shared: readonly string[];
  /** Headers of SUBSCRIBE, as `name` or `name:value`, that make any destination such a queue. */
  readonly sharedBy: readonly string[];
  readonly chunk: ChunkRules;
}

/** No limit that a frame could meet before those of STOMP. */
const WHOLE: ChunkRules = {
  textMaxBytes: Number.POSITIVE_INFINITY,
  binaryMaxBytes: Number.POSITIVE_INFINITY,
  oneFramePerMessage: false,
};
/** Spring raises Tomcat's limit for text to 16 KiB + 256, and leaves that for binary at 8 KiB. */
const SPRING_CHUNK: ChunkRules = { textMaxBytes: 16 * 1024, binaryMaxBytes: 8 * 1024, oneFramePerMessage: false };

const CUSTOM: Traits = {
  name: 'custom',
  barrier: 'receipt',
  fanout: [],
  noReplay: [],
  unanswered: [],
  transactions: true,
  disconnectProves: true,
  marksRedelivery: true,
  endsAfterError: 'any-close',
  exclusiveConnect: [],
  exclusiveSubscribe: [],
  shared: [],
  sharedBy: [],
  chunk: WHOLE,
};

const RABBIT_QUEUES = ['/queue/**', '/amq/queue/**'];
const RABBIT_SHARED_BY = ['x-queue-name', 'durable:true'];

const SPRING: Traits = {
  ...CUSTOM,
  name: 'spring',
  barrier: 'settle',
  fanout: ['/topic/**'],
  noReplay: ['/app/**'],
  transactions: false,
  endsAfterError: [1002],
  chunk: SPRING_CHUNK,
};

const TABLE: Readonly<Record<ProfileName, Traits>> = {
  custom: CUSTOM,
  embedded: { ...CUSTOM, name: 'embedded', fanout: ['/topic/**'] },
  spring: SPRING,
  'spring-relay': {
    ...SPRING,
    name: 'spring-relay',
    barrier: 'receipt',
    // The user's own destinations become the broker's, with the id of the session, which is the same on every pod.
    fanout: ['/topic/**', '/exchange/**', '/user/topic/**', '/user/exchange/**'],
    unanswered: ['/app/**'],
    transactions: true,
    shared: [...RABBIT_QUEUES, '/user/queue/**'],
    sharedBy: RABBIT_SHARED_BY,
    disconnectProves: false,
  },
  rabbitmq: {
    ...CUSTOM,
    name: 'rabbitmq',
    fanout: ['/topic/**', '/exchange/**'],
    disconnectProves: false,
    endsAfterError: [1000, 1007, 1011],
    exclusiveSubscribe: ['exclusive:true'],
    shared: RABBIT_QUEUES,
    sharedBy: RABBIT_SHARED_BY,
  },
  activemq: {
    ...CUSTOM,
    name: 'activemq',
    fanout: ['/topic/**'],
    shared: ['/queue/**'],
    // After most ERRORs it goes on; a broker that is stopped says 1001.
    endsAfterError: [1000],
    exclusiveConnect: ['client-id'],
    chunk: { ...WHOLE, oneFramePerMessage: true },
  },
  artemis: {
    ...CUSTOM,
    name: 'artemis',
    fanout: ['/topic/**'],
    disconnectProves: false,
    marksRedelivery: false,
    // Its WebSocket knows no close frame: what ends by ERROR ends as if the broker had died.
    endsAfterError: [1006],
    shared: ['/queue/**'],
    sharedBy: ['durable-subscription-name', 'durable-subscriber-name', 'activemq.subscriptionName'],
    chunk: { textMaxBytes: 64 * 1024, binaryMaxBytes: 64 * 1024, oneFramePerMessage: false },
  },
};

export class Profile {
  readonly name: ProfileName;
  /** How it came to be chosen, for the log. */
  readonly why: string;
  readonly barrier: Barrier;
  readonly transactions: boolean;
  readonly disconnectProves: boolean;
  readonly marksRedelivery: boolean;
  readonly chunk: ChunkRules;
  readonly #traits: Traits;
  readonly #isFanout: (destination: string) => boolean;
  readonly #isShared: (destination: string) => boolean;
  readonly #isUnanswered: (destination: string) => boolean;
  readonly #isNotReplayed: (destination: string) => boolean;

  /** @param terms what the configuration says otherwise */
  constructor(name: ProfileName, terms: Partial<ProfileTerms> = {}, why = 'configured') {
    const traits = { ...TABLE[name], ...terms };
    this.name = name;
    this.why = why;
    this.barrier = traits.barrier;
    this.transactions = traits.transactions;
    this.disconnectProves = traits.disconnectProves;
    this.marksRedelivery = traits.marksRedelivery;
    this.chunk = traits.chunk;
    this.#traits = traits;
    this.#isFanout = destinationMatcher(traits.fanout);
    this.#isShared = destinationMatcher(traits.shared);
    this.#isUnanswered = destinationMatcher(traits.unanswered);
    this.#isNotReplayed = destinationMatcher(traits.noReplay);
  }

  /** Does the backend answer a receipt for this frame of a client? */
  answers(frame: Frame): boolean {
    if (frame.command === 'DISCONNECT') return true;
    if (this.barrier === 'settle') return false;
    const destination = frame.header('destination');
    return destination === undefined || !this.#isUnanswered(destination);
  }

  /** How the messages of this SUBSCRIBE come. */
  deliveryOf(subscribe: Frame): Delivery {
    const destination = subscribe.header('destination') ?? '';
    if (this.#isShared(destination) || hasAny(subscribe, this.#traits.sharedBy)) return 'shared';
    return this.#isFanout(destination) ? 'fanout' : 'unicast';
  }

  /** Is this SUBSCRIBE said again on another link? */
  isReplayed(subscribe: Frame): boolean {
    return !this.#isNotReplayed(subscribe.header('destination') ?? '');
  }

  /** Has a session like this one to leave its pod before another pod takes it? Answers with the header that says so. */
  exclusiveBy(connect: Frame, subscribes: Iterable<Frame>): string | undefined {
    const { exclusiveConnect, exclusiveSubscribe } = this.#traits;
    const name = exclusiveConnect.find((header) => connect.header(header) !== undefined);
    if (name !== undefined) return name;
    for (const subscribe of subscribes) {
      const found = exclusiveSubscribe.find((line) => hasAny(subscribe, [line]));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A link was closed with this code after the backend had said ERROR: was that its last word, or did the pod die just then? */
  endsAfterError(code: number): boolean {
    const { endsAfterError } = this.#traits;
    return endsAfterError === 'any-close' ? code !== 1006 : endsAfterError.includes(code);
  }
}

/** Does the frame have one of these: a header of that name, or `name:value`? */
function hasAny(frame: Frame, lines: readonly string[]): boolean {
  return lines.some((line) => {
    const [name = '', value] = line.split(':');
    const given = frame.header(name);
    return value === undefined ? given !== undefined : given === value;
  });
}

/** What a first CONNECTED tells of the backend, and by what. */
export function recognise(connected: Frame): { readonly name: ProfileName; readonly why: string } {
  const server = connected.header('server');
  if (server === undefined) {
    const isSpring = connected.header('session') === undefined;
    return isSpring
      ? { name: 'spring', why: 'CONNECTED names neither a server nor a session' }
      : { name: 'custom', why: 'CONNECTED names a session and no server' };
  }
  const isRelayed = connected.header('user-name') !== undefined;
  if (server.startsWith('holdfast-backend/')) return { name: 'embedded', why: `server ${server}` };
  if (isRelayed) {
    const advice = 'say backend.profile: spring-relay, so that session ids stay the same from pod to pod';
    return { name: 'spring-relay', why: `server ${server} and Spring's user-name; ${advice}` };
  }
  const broker = BROKERS.find(([begin]) => server.startsWith(begin));
  return { name: broker?.[1] ?? 'custom', why: `server ${server}` };
}

const BROKERS: readonly (readonly [begin: string, name: ProfileName])[] = [
  ['RabbitMQ', 'rabbitmq'],
  ['ActiveMQ-Artemis', 'artemis'],
  ['Apache-Artemis', 'artemis'],
  ['ActiveMQ', 'activemq'],
];
