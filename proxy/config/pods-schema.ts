/** The sections on pods: which there are, who belongs to which, and how they are reached. */
import { z } from 'zod';
import { MAX_RING_SIZE } from '../../ring/index.ts';
import { dnsTarget } from './addresses.ts';
import { destinationPattern, filePath, hostHeader } from './forms.ts';
import { choice, count, duration, list, yesNo } from './values.ts';

/** What pods may be; the session has a table of what each means. */
export const PROFILES = ['spring', 'spring-relay', 'rabbitmq', 'activemq', 'artemis', 'embedded', 'custom'] as const;

export const ring = z.strictObject({
  'points-per-pod': count(1, 1_000_000)
    .optional()
    .meta({
      description:
        'Points on the ring for each pod, so that only users of a pod that comes or goes move; default 4096.',
      examples: [4096],
    }),
  size: count(1, MAX_RING_SIZE)
    .optional()
    .meta({
      description: 'Instead of points-per-pod: points of the whole ring, as minimum_ring_size of Envoy.',
      examples: [16_384],
    }),
  // Not `key`: as a flag that would be --ring-key, which is the key ring-key.
  'key-kind': choice(['name', 'address'])
    .default('name')
    .meta({ description: 'What of a pod is hashed: its name, or its ip:port as Envoy and Istio do.' }),
});

export const topology = z.strictObject({
  debounce: duration('0s', '10s')
    .prefault('100ms')
    .meta({ description: 'Wait after a change of pods for more of it; slices of one rollout step come within 100ms.' }),
  'admit-after': duration('0s', '10m').prefault('2s').meta({
    description:
      'How long a new pod waits for more of a surge before all join the ring as one change; pods of a surge are ready within seconds of each other. A pod that leaves ends the wait.',
  }),
  inactivity: duration('5s', '1h')
    .prefault('90s')
    .meta({ description: 'A watch that is silent for this long is dialled again; bookmarks come each 60s or so.' }),
});

export const fallback = z.strictObject({
  dns: dnsTarget()
    .optional()
    .meta({
      description:
        'A headless Service of the pods: its addresses with the port, or its SRV records, which know the port and the names of a StatefulSet’s pods.',
      examples: ['_http._tcp.chat-pods.default.svc.cluster.local', 'chat-pods.default.svc:8080'],
    }),
  'pods-file': filePath()
    .optional()
    .meta({ description: 'Instead of dns: a file as in pods-file.', examples: ['/etc/holdfast/pods.yaml'] }),
  after: duration('0s', '10m')
    .prefault('5s')
    .meta({ description: 'How long the API may be silent after the start; its load balancer needs a few seconds.' }),
});

export const backend = z.strictObject({
  profile: choice(['auto', ...PROFILES])
    .default('auto')
    .meta({
      description:
        'What the pods are: what they answer, deliver and mean differs. auto looks at each first CONNECTED and logs what it took the pods for.',
    }),
  barrier: choice(['receipt', 'settle'])
    .optional()
    .meta({
      description:
        'Instead of what the profile says: proof that subscriptions on a new link are live, by a receipt or by the wait settle.',
      examples: ['settle'],
    }),
  fanout: list(destinationPattern(), 64)
    .optional()
    .meta({
      description:
        'Instead of what the profile says: destinations of which every pod delivers its own copy of each message; * and ** as in Spring, `none` for none.',
      examples: [['/topic/**']],
    }),
  'no-replay': list(destinationPattern(), 64)
    .optional()
    .meta({
      description:
        'Instead of what the profile says: subscriptions that are not repeated on another pod, because they ask for one reply; `none` for none.',
      examples: [['/app/**']],
    }),
  settle: duration('0s', '30s').prefault('200ms').meta({
    description:
      'Where pods answer no receipts: wait after CONNECTED and SUBSCRIBE; a loaded pod registers within 200ms.',
  }),
  tls: yesNo()
    .default(false)
    .meta({ description: 'Speak TLS to pods and check their certificates; off, as most pods listen in the clear.' }),
  'host-header': hostHeader()
    .optional()
    .meta({
      description: 'Host header (and TLS server name) for pods; default the address of the pod.',
      examples: ['chat'],
    }),
  heartbeat: duration('100ms', '1m').prefault('2s').meta({
    description: 'STOMP heart-beats asked of pods and sent to them; 2s so that a dead pod shows within gone.',
  }),
  gone: duration('200ms', '5m')
    .prefault('5s')
    .meta({ description: 'A link silent for this long is lost; 5s is two heart-beats and some room.' }),
  'connect-max': duration('100ms', '1m')
    .prefault('5s')
    .meta({ description: 'From dialling a pod to its CONNECTED; past it the next pod is tried.' }),
  sockjs: yesNo()
    .optional()
    .meta({
      description:
        'Ask pods for SockJS WebSockets, with a session id that stays the same from pod to pod; default with profile spring-relay, whose pods know each other’s sessions by it.',
      examples: [true],
    }),
});
