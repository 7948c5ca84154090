/**
 * The one schema of the configuration. The YAML file, the flags, the HOLDFAST_* variables, `--help`, the published JSON
 * schema, the defaults and the type Config all come from here.
 *
 * A key's description says what it means, and why its default is what it is. Sections hold keys; how a key is written as
 * a flag or variable follows from its place (see keys.ts).
 */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from '../log.ts';
import { kubernetesService, listenAddress, network, podMap } from './addresses.ts';
import { endpointPath, filePath, headerName } from './forms.ts';
import { jwt } from './jwt-schema.ts';
import { backend, fallback, ring, topology } from './pods-schema.ts';
import { keySource, SOURCE_FORMS, userSource } from './source.ts';
import { choice, count, countOrAuto, duration, list, matching, size, yesNo } from './values.ts';
import { origin, urlTemplate } from './web.ts';

const sockjs = z.strictObject({
  paths: list(endpointPath(), 16).prefault(['/ws']).meta({
    description:
      'Endpoints at which SockJS clients are served; Spring’s guides call it /ws. Raw WebSockets beside it pass as they are.',
  }),
  'upstream-path': endpointPath()
    .optional()
    .meta({
      description: 'Where pods take the WebSockets of SockJS clients; default the endpoint’s path and /websocket.',
      examples: ['/ws'],
    }),
});

const handover = z.strictObject({
  'per-second': count(1, 100_000).default(500).meta({
    description: 'Handovers started each second in all; 500 moves 5000 sessions in 10s without a login storm.',
  }),
  'in-flight-per-pod': count(1, 10_000).default(64).meta({
    description: 'Handovers that one target pod serves at a time, at most; adapts downwards when it gets slow.',
  }),
  'order-quiet': duration('0s', '10s').prefault('40ms').meta({
    description: 'A destination silent on the old link for this long has been drained; bounds the delay of a handover.',
  }),
  'drain-max': duration('0s', '5m')
    .prefault('5s')
    .meta({ description: 'The old link closes this long after the switch; what comes until then is delivered.' }),
  'barrier-max': duration('100ms', '5m')
    .prefault('5s')
    .meta({ description: 'Wait for the barrier on a new link; past it the session stays on the old one.' }),
  'retry-max': duration('100ms', '5m')
    .prefault('10s')
    .meta({ description: 'Longest pause between attempts after failed ones; the pause is random below it.' }),
});

const hold = z.strictObject({
  session: size('1KiB', '16MiB')
    .prefault('64KiB')
    .meta({ description: 'Bytes kept for one session while they cannot be passed on; then its sender is not read.' }),
  total: size('64KiB', '64GiB')
    .prefault('256MiB')
    .meta({ description: 'Bytes kept for all sessions; 256MiB is 4096 sessions that hold all they may.' }),
});

const client = z.strictObject({
  heartbeat: duration('100ms', '5m')
    .prefault('10s')
    .meta({ description: 'STOMP heart-beats offered to and asked of clients; 10s is what stomp.js proposes.' }),
  'connect-max': duration('100ms', '5m')
    .prefault('10s')
    .meta({ description: 'From the upgrade to CONNECT; past it the connection is closed.' }),
  'slow-max': duration('1s', '1h')
    .prefault('30s')
    .meta({ description: 'A client that stays above high-mark for this long is closed.' }),
  'high-mark': size('4KiB', '64MiB').prefault('256KiB').meta({
    description: 'Unsent bytes to a client from which its link is not read; four frames of the largest size.',
  }),
});

const limits = z.strictObject({
  frame: size('1KiB', '16MiB')
    .prefault('64KiB')
    .meta({ description: 'Largest frame of a client; 64KiB is the default of Spring.' }),
  header: size('256B', '256KiB').prefault('8KiB').meta({ description: 'Header bytes of one frame in all.' }),
  headers: count(1, 1024).default(64).meta({ description: 'Headers of one frame.' }),
  subscriptions: count(1, 100_000).default(256).meta({ description: 'Subscriptions of one session.' }),
  sessions: count(1, 1_000_000)
    .default(20_000)
    .meta({ description: 'Sessions in all; each takes two file descriptors, so raise `ulimit -n` with it.' }),
  'sessions-per-user': count(1, 100_000)
    .default(64)
    .meta({ description: 'Sessions of one user at a time: many tabs, but not a loop that forgets to close.' }),
});

const dedup = z.strictObject({
  window: count(0, 1_000_000)
    .default(1024)
    .meta({ description: 'Message ids remembered per session to drop what comes twice; 0 turns it off.' }),
  header: matching('HEADER', 'the name of a STOMP header', /^[A-Za-z0-9._-]{1,128}$/)
    .default('holdfast-id')
    .meta({ description: 'MESSAGE header that holds the id.' }),
});

const gateway = z.strictObject({
  transport: choice(['http', 'stomp'])
    .default('http')
    .meta({ description: 'How a produced message reaches a pod: its HTTP door, or SEND over a service link.' }),
  url: urlTemplate()
    .prefault('http://{address}/users/{user}/messages?destination={destination}')
    .meta({ description: 'With transport http: the door of a pod; values go in percent-encoded.' }),
  path: matching('PATH', 'a path that begins with /', /^\/[^\s#]{0,1023}$/)
    .default('/ws')
    .meta({ description: 'With transport stomp: the path of the pod’s WebSocket.' }),
  login: matching('LOGIN', 'a STOMP login', /^[^\0\r\n]{1,256}$/)
    .optional()
    .meta({
      description: 'With transport stomp: the login of CONNECT, a user who may send to others.',
      examples: ['producer'],
    }),
  'passcode-file': filePath()
    .optional()
    .meta({
      description: 'With transport stomp: file with the passcode of CONNECT.',
      examples: ['/etc/holdfast/passcode'],
    }),
  receipts: yesNo().default(true).meta({
    description:
      'With transport stomp: pods answer receipts; off for Spring’s simple broker, then delivered means written.',
  }),
  ttl: duration('100ms', '10m')
    .prefault('10s')
    .meta({ description: 'How long a message is tried; a handover or the return of a client takes less.' }),
  'max-body': size('1B', '16MiB').prefault('64KiB').meta({ description: 'Largest message; as limits.frame.' }),
  'token-file': filePath()
    .optional()
    .meta({
      description: 'File with the bearer token that producers must show; without it the admin port must be private.',
      examples: ['/etc/holdfast/gateway-token'],
    }),
  'in-flight': count(1, 1_000_000)
    .default(10_000)
    .meta({ description: 'Messages being tried at a time; past it producers are told to come back.' }),
});

const log = z.strictObject({
  level: choice(LOG_LEVELS).default('info').meta({ description: 'Least level that is written.' }),
  users: yesNo()
    .default(false)
    .meta({ description: 'Write names of users; off, lines carry a hash that only joins lines of one process.' }),
});

/** Every key of a section has a default or may be missing, so the empty section is one. */
const section = <T extends z.ZodObject>(shape: T, description: string) =>
  shape.prefault({} as z.input<T>).meta({ description });

export const schema = z
  .strictObject({
    listen: listenAddress()
      .prefault('127.0.0.1:8080')
      .meta({ description: 'Where clients connect; this machine only until you say otherwise.' }),
    admin: listenAddress()
      .prefault('127.0.0.1:9090')
      .meta({ description: 'Where metrics, health, ring and the gateway answer; keep it private.' }),
    pods: podMap()
      .optional()
      .meta({ description: 'The pods by name.', examples: [{ 'pod-1': '10.0.0.1:8080', 'pod-2': '10.0.0.2:8080' }] }),
    'pods-file': filePath()
      .optional()
      .meta({
        description: 'YAML or JSON file that lists the pods; followed while it changes.',
        examples: ['pods.yaml'],
      }),
    kubernetes: kubernetesService()
      .optional()
      .meta({ description: 'The Service whose EndpointSlices list the pods.', examples: ['default/chat:http'] }),
    kubeconfig: filePath()
      .optional()
      .meta({
        description:
          'With kubernetes: how to reach the API; default the service account of the pod, or ~/.kube/config.',
        examples: ['/home/me/.kube/config'],
      }),
    fallback: section(
      fallback,
      'With kubernetes: where a proxy that starts while the API is silent takes the pods from.',
    ),
    user: list(userSource(), 16)
      .optional()
      .meta({
        description: `Where the name of the user stands; the first that is present decides. One or more of ${SOURCE_FORMS}. No default, as only you know.`,
        examples: [['header:Username'], ['jwt', 'cookie:session-user']],
      }),
    anonymous: yesNo()
      .default(false)
      .meta({ description: 'Give a client without a user a random one of its own instead of 401.' }),
    'ring-key': keySource()
      .optional()
      .meta({
        description: 'What is hashed to find the pod, when it is not the user; a request without it is denied.',
        examples: ['query:room'],
      }),
    'trusted-peers': list(network(), 256)
      .optional()
      .meta({
        description:
          'Only from these are header: sources, forwarded headers and unchecked tokens believed; default from all.',
        examples: [['10.0.0.0/8', 'fd00::/8']],
      }),
    'identity-header': headerName().prefault('holdfast-user').meta({
      description: 'Header that tells pods who the user is, over HTTP and in CONNECT; copies from clients are removed.',
    }),
    jwt: section(jwt, 'Tokens, for the sources jwt and stomp-authorization.'),
    origins: list(origin(), 256)
      .optional()
      .meta({
        description: 'Web pages that may connect, * for all; default those of the host that the request names.',
        examples: [['https://app.example.com']],
      }),
    ring: section(ring, 'The consistent-hash ring; producers need the same values.'),
    topology: section(topology, 'How changes of pods are taken in.'),
    backend: section(backend, 'Links to pods.'),
    sockjs: section(sockjs, 'Clients that speak SockJS.'),
    handover: section(handover, 'Moves of sessions from pod to pod.'),
    'outage-max': duration('0s', '1h')
      .prefault('60s')
      .meta({ description: 'How long sessions are kept while no pod can be reached; then ERROR and close 1013.' }),
    hold: section(hold, 'Memory for what cannot be passed on at once.'),
    client: section(client, 'Connections of clients.'),
    limits: section(limits, 'What one client may ask for.'),
    dedup: section(dedup, 'Removal of messages that come twice.'),
    gateway: section(gateway, 'The door for producers on the admin port.'),
    workers: countOrAuto(1, 256, availableParallelism).prefault(1).meta({
      description:
        'Processes that share the clients; auto: one for each core. Default 1, a single process, as one core serves thousands; limits are of all together.',
    }),
    log: section(log, 'Log lines, one JSON object each, on stdout.'),
  })
  .meta({
    title: 'Holdfast configuration',
    description: 'One YAML file; each key is also a flag and a HOLDFAST_* variable.',
  });
