/** Sends messages to users straight at the pod that has them, by the ring that the proxies use. See docs/PRODUCERS.md. */
export type { Clock, Random } from './clock.ts';
export { ProducerError, type ProducerErrorCode } from './errors.ts';
export { type FollowedRing, type FollowOptions, type FollowStatus, followRing } from './follow-ring.ts';
export { DEFAULT_URL, type HttpTransportOptions, httpTransport } from './http-transport.ts';
export type { Log } from './log.ts';
export { checkDestination, checkUser, MAX_DESTINATION_BYTES, MAX_ID_CHARACTERS, MAX_USER_BYTES } from './message.ts';
export { createProducer, type Producer, type ProducerOptions, type Result, type SendOptions } from './producer.ts';
export { isHostPort, type RingJson, RingJsonError, readRing, writeRing } from './ring-json.ts';
export {
  type LocalRing,
  localRing,
  type RingSnapshot,
  type RingSource,
  ringsVersion,
  snapshotOf,
  staticRing,
} from './ring-source.ts';
export { type StompTransportOptions, stompTransport } from './stomp-transport.ts';
export type { Message, PodAddress, PostResult, Transport } from './transport.ts';
export { TemplateError } from './url-template.ts';
