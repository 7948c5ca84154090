/** The pure session: events in, effects out. */
export { describeEnd } from './classify.ts';
export { type Admission, type MessageMarks, marksOf } from './delivery.ts';
export type { Blame, Effect, EndReason, Fact } from './effects.ts';
export type { LinkCause, LinkEnd, LinkId, SessionEvent } from './events.ts';
export { Few } from './few.ts';
export type { OwnHeaders, SessionOptions } from './options.ts';
export { NO_OWN_HEADERS, SESSION_DESTINATION } from './options.ts';
export {
  type Barrier,
  type ChunkRules,
  Profile,
  type ProfileName,
  type ProfileTerms,
  recognise,
} from './profile.ts';
export { Session } from './session.ts';
