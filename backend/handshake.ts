/** What CONNECT (or STOMP) asks for and what it gets. Pure: a frame in, the terms or a Refusal out. */
import {
  agreeHeartBeat,
  type Frame,
  type HeartBeat,
  negotiateVersion,
  parseHeartBeat,
  type Version,
} from '../stomp/index.ts';
import { Refusal } from './refusal.ts';

export interface Terms {
  readonly version: Version;
  /** 0 is off. Both as agreed, so they are also what CONNECTED announces. */
  readonly sendEveryMs: number;
  readonly expectEveryMs: number;
  /** STOMP login, for clients that no HTTP header names. The passcode is not looked at: see README.md, "Trust". */
  readonly login: string | undefined;
}

/** `own`: how often this backend can send a beat at most, and how often it may ask for one. Throws a Refusal. */
export function agree(frame: Frame, own: HeartBeat): Terms {
  if (frame.command !== 'CONNECT' && frame.command !== 'STOMP') {
    throw new Refusal('not connected', `${frame.command} came before CONNECT.`);
  }
  return { version: version(frame), ...agreeHeartBeat(own, heartBeat(frame)), login: login(frame) };
}

function version(frame: Frame): Version {
  const asked = frame.header('accept-version');
  const found = negotiateVersion(asked);
  if (found !== undefined) return found;
  throw new Refusal('unsupported version', `accept-version ${asked}: this backend speaks 1.0, 1.1 and 1.2.`, {
    version: '1.0,1.1,1.2',
  });
}

function heartBeat(frame: Frame): HeartBeat {
  const asked = frame.header('heart-beat');
  const pair = parseHeartBeat(asked);
  if (pair !== undefined) return pair;
  throw new Refusal('bad heart-beat', `heart-beat ${asked}: expected two numbers of milliseconds, as in 10000,10000.`);
}

function login(frame: Frame): string | undefined {
  const name = frame.header('login');
  if (name === undefined || name === '') return undefined;
  // CONNECTED repeats it as user-name, and that frame has no escapes.
  if (hasControl(name)) throw new Refusal('bad login', 'The login has control characters.');
  return name;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
