/** STOMP 1.0, 1.1 and 1.2 over any byte stream: frames, an incremental decoder, an encoder, heart-beats. No I/O, no clock. */
export type { Peer } from './commands.ts';
export { Decoder, type DecoderOptions } from './decoder.ts';
export { encode, HEARTBEAT, type HeaderInit, rewrite } from './encoder.ts';
export { StompError, type StompErrorCode } from './errors.ts';
export { Frame } from './frame.ts';
export { frameOf } from './frame-of.ts';
export { Glance, type GlanceOptions } from './glance.ts';
export { agreeHeartBeat, Beats, type BeatsOptions, type HeartBeat, parseHeartBeat } from './heartbeat.ts';
export { checkedLimits, DEFAULT_LIMITS, type DecoderLimits } from './limits.ts';
export { negotiateVersion, SUBPROTOCOLS, type Version } from './versions.ts';
