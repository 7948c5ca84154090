export { ANSWER_MAX_BYTES, type Answer, AnswerReader } from './answer-reader.ts';
export { CLOSE, CONTROL_MAX_BYTES, isSendable, OPCODE } from './codes.ts';
export {
  type Fault,
  FrameReader,
  type ReaderHandlers,
  type ReaderOptions,
  remask,
  type WholeFrame,
} from './frame-reader.ts';
export { closeFrame, frame, frameLength, writeFrame } from './frame-writer.ts';
export { acceptOf, isKey, newKey } from './handshake.ts';
export { Outbox } from './outbox.ts';
