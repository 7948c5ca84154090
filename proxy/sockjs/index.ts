/** SockJS as text: framing of both sides. No I/O, no clock. */
export {
  arrayFrame,
  clientFraming,
  closeFrame,
  type Framing,
  HEARTBEAT,
  OPEN,
  quote,
  type Said,
  serverFraming,
} from './framing.ts';
export { BrokenArray, StringArrayReader } from './string-array.ts';
