/** From the configuration, in the words of its keys, to what each part wants to know; and the few figures that have no key. */

import type { RingOptions } from '../ring/index.ts';
import { checkedLimits } from '../stomp/index.ts';
import type { Config } from './config/index.ts';
import type { DialerOptions } from './links/dialer.ts';
import type { ListenerOptions } from './listeners/listener.ts';
import type { PassThroughOptions } from './listeners/pass-through.ts';
import { profilesOf } from './profiles.ts';
import type { SwitchboardOptions } from './relay/switchboard.ts';
import type { RoutingOptions } from './routing/index.ts';

/** How long a peer may take to answer a close frame or a DISCONNECT: one slow round trip, and a pause of its collector. */
const CLOSE_MAX_MS = 2_000;
/** How long an old link waits for the producers' commit: a proxy that cannot commit must not keep two links for ever. */
export const COMMIT_MAX_MS = 30_000;
/** Beyond `backend.gone`: a pod that hung is heard, or known to be lost, before messages go without what it still has. */
const ORDER_ROOM_MS = 1_000;
/** The fastest heart-beats that a client may ask of the proxy. */
const CLIENT_BEAT_MIN_MS = 1_000;
/** A client that promised no heart-beats is pinged; browsers answer by themselves, and after three misses it is gone. */
const CLIENT_PINGS_MISSED = 3;
/**
 * Intervals without a promised heart-beat, after which a peer is gone. Spring looks once an interval whether one is due, so
 * two may be nearly two intervals apart; with its timers' delays, and a 2 s beat still shows a hang within 5 s.
 */
const LINK_BEATS_MISSED = 2.3;
/** What Spring allows its clients: browsers delay the timers of hidden pages. */
const CLIENT_BEATS_MISSED = 3;
/** Heart-beats are looked after this often within the shortest of them, but not more often than LEAST. */
const LOOKS_PER_BEAT = 4;
const LOOK_LEAST_MS = 25;
/** Pods may send larger frames than clients, as a broker's topic has messages of others; RabbitMQ's own limit is 4 MiB. */
const POD_FRAME_BYTES = 4 * 1024 * 1024;
/** A MESSAGE carries the headers of its SEND, escaped, and the broker's own; else clients could send what closes others' links. */
const POD_HEADERS_MORE = 64;
const POD_HEADER_BYTES_FACTOR = 2;
const POD_HEADER_BYTES_MORE = 8 * 1024;
/** What the producer library takes as the longest time to live, unless it is told otherwise. */
const PRODUCER_TTL_MS = 60_000;
/** JSON makes at most six characters of an octet: \u0000. */
const JSON_FACTOR = 6;
/** A REST call that takes longer than this belongs into a job; Spring's own default is none. */
const HTTP_ANSWER_MAX_MS = 60_000;

export function ringOptions({ ring }: Config): RingOptions {
  return { pointsPerPod: ring.pointsPerPod, size: ring.size, keyKind: ring.keyKind };
}

/** A message is tried for as long as its sender says, within this: the default, or as long as sessions without a pod are kept. */
export function longestTtlMs({ gateway, outageMaxMs }: Config): number {
  return Math.max(gateway.ttlMs, outageMaxMs, PRODUCER_TTL_MS);
}

export function routingOptions(config: Config): RoutingOptions {
  const { handover, topology } = config;
  return {
    ring: ringOptions(config),
    admitAfterMs: topology.admitAfterMs,
    perSecond: handover.perSecond,
    inFlightPerPod: handover.inFlightPerPod,
    retryMaxMs: handover.retryMaxMs,
    commitMaxMs: COMMIT_MAX_MS,
    commitsTogether: config.workers > 1,
  };
}

export function switchboardOptions(config: Config): SwitchboardOptions {
  const { backend, client, dedup, handover, hold, limits } = config;
  return {
    relay: {
      session: {
        profileOf: profilesOf(config),
        settleMs: backend.settleMs,
        connectMaxMs: backend.connectMaxMs,
        barrierMaxMs: handover.barrierMaxMs,
        orderQuietMs: handover.orderQuietMs,
        orderMaxMs: backend.goneMs + ORDER_ROOM_MS,
        drainMaxMs: handover.drainMaxMs,
        commitMaxMs: COMMIT_MAX_MS,
        closeMaxMs: CLOSE_MAX_MS,
        outageMaxMs: config.outageMaxMs,
        holdBytes: hold.sessionBytes,
        subscriptionsMax: limits.subscriptions,
        dedupWindow: dedup.window,
        dedupMaxAgeMs: 2 * longestTtlMs(config),
        dedupHeader: dedup.header,
        linkBeatMs: backend.heartbeatMs,
        clientBeatMs: Math.min(CLIENT_BEAT_MIN_MS, client.heartbeatMs),
      },
      podLimits: podLimits(config),
      link: { pingEveryMs: backend.heartbeatMs, goneMs: backend.goneMs, tolerance: LINK_BEATS_MISSED },
      client: {
        pingEveryMs: client.heartbeatMs,
        goneMs: client.heartbeatMs * CLIENT_PINGS_MISSED,
        tolerance: CLIENT_BEATS_MISSED,
      },
      slowMaxMs: client.slowMaxMs,
      podsTakeTextOnly: speaksSockJs(config),
    },
    holdTotalBytes: hold.totalBytes,
    beatEveryMs: Math.max(
      LOOK_LEAST_MS,
      Math.min(backend.heartbeatMs, client.heartbeatMs, CLIENT_BEAT_MIN_MS) / LOOKS_PER_BEAT,
    ),
    sessionsMax: limits.sessions,
    sessionsPerUserMax: limits.sessionsPerUser,
  };
}

export function dialerOptions(config: Config): DialerOptions {
  const { backend } = config;
  return {
    tls: backend.tls,
    hostHeader: backend.hostHeader,
    connectMaxMs: backend.connectMaxMs,
    maxMessageBytes: (speaksSockJs(config) ? JSON_FACTOR : 1) * podLimits(config).maxFrameBytes,
    closeMaxMs: CLOSE_MAX_MS,
    highMarkBytes: config.client.highMarkBytes,
    sockJs: speaksSockJs(config),
  };
}

function speaksSockJs({ backend }: Config): boolean {
  return backend.sockjs ?? backend.profile === 'spring-relay';
}

export function listenerOptions(config: Config): ListenerOptions {
  return {
    limits: frameLimits(config),
    connectMaxMs: config.client.connectMaxMs,
    closeMaxMs: CLOSE_MAX_MS,
    highMarkBytes: config.client.highMarkBytes,
    sockJs: { paths: config.sockjs.paths, upstreamPath: config.sockjs.upstreamPath },
  };
}

export function passThroughOptions({ backend }: Config): PassThroughOptions {
  const { tls, hostHeader, connectMaxMs } = backend;
  return { tls, hostHeader, connectMaxMs, answerMaxMs: HTTP_ANSWER_MAX_MS };
}

function frameLimits({ limits }: Config) {
  const { frameBytes: maxFrameBytes, headerBytes: maxHeaderBytes, headers: maxHeaders } = limits;
  return checkedLimits({ maxFrameBytes, maxHeaderBytes, maxHeaders });
}

function podLimits({ limits }: Config) {
  const maxHeaderBytes = limits.headerBytes * POD_HEADER_BYTES_FACTOR + POD_HEADER_BYTES_MORE;
  return checkedLimits({
    maxFrameBytes: Math.max(POD_FRAME_BYTES, limits.frameBytes + maxHeaderBytes),
    maxHeaderBytes,
    maxHeaders: limits.headers + POD_HEADERS_MORE,
  });
}
