/** A side is not looked at while nothing of it can be due: whatever happens to it, it does what one does that looks each time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Leg, type LegOptions } from '../../proxy/relay/leg.ts';
import type { Socket } from '../../proxy/relay/socket.ts';
import { HEARTBEAT } from '../../stomp/index.ts';

const OPTIONS: LegOptions = { pingEveryMs: 20, goneMs: 50, tolerance: 2.3 };
const LOOK_MS = 3;

/** What a socket lets its side see, and what the side has done with it. */
class Seen {
  isPaused = false;
  isOpen = false;
  heardAtMs = 0;
  heardDataAtMs = 0;
  inDoubtSinceMs: number | undefined;
  now = 0;
  readonly done: string[] = [];

  send(): void {
    this.done.push(`${this.now} beat`);
  }

  ping(): void {
    this.done.push(`${this.now} ping`);
  }

  believe(): void {
    this.done.push(`${this.now} believe`);
    this.inDoubtSinceMs = undefined;
  }

  excuse(ms = Number.POSITIVE_INFINITY): void {
    this.heardAtMs = Math.min(this.now, this.heardAtMs + ms);
    this.heardDataAtMs = Math.min(this.now, this.heardDataAtMs + ms);
    if (this.inDoubtSinceMs !== undefined) this.inDoubtSinceMs = Math.min(this.now, this.inDoubtSinceMs + ms);
  }
}

/** The rules, without a thought for what they cost. */
class Thorough {
  readonly #seen: Seen;
  #sentAtMs = 0;
  #pingedAtMs = 0;
  #sendEveryMs = 0;
  #silentAfterMs = 0;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  setBeats(sendEveryMs: number, expectEveryMs: number, now: number): void {
    this.#seen.excuse();
    this.#sendEveryMs = sendEveryMs;
    this.#silentAfterMs = expectEveryMs * OPTIONS.tolerance;
    this.#sentAtMs = now;
  }

  passFrames(now: number): void {
    this.#sentAtMs = now;
  }

  beat(now: number): number {
    const seen = this.#seen;
    if (this.#sendEveryMs > 0 && now - this.#sentAtMs >= this.#sendEveryMs) {
      this.#sentAtMs = now;
      seen.send();
    }
    if (seen.isPaused || !seen.isOpen) return 0;
    const silentMs = now - seen.heardAtMs;
    if (silentMs >= OPTIONS.goneMs) return silentMs;
    if (seen.inDoubtSinceMs !== undefined && now - seen.inDoubtSinceMs >= OPTIONS.goneMs) seen.believe();
    if (silentMs >= OPTIONS.pingEveryMs && now - this.#pingedAtMs >= OPTIONS.pingEveryMs) {
      this.#pingedAtMs = now;
      seen.ping();
    }
    const dataSilentMs = now - seen.heardDataAtMs;
    return this.#silentAfterMs > 0 && dataSilentMs >= this.#silentAfterMs ? dataSilentMs : 0;
  }
}

type Happening = (seen: Seen, side: Pick<Thorough, 'setBeats' | 'passFrames'>) => void;

const happenings: Record<string, Happening> = {
  opened: (seen) => {
    seen.isOpen = true;
    seen.excuse();
  },
  closed: (seen) => {
    seen.isOpen = false;
  },
  pong: (seen) => {
    seen.heardAtMs = seen.now;
  },
  data: (seen) => {
    seen.heardAtMs = seen.now;
    seen.heardDataAtMs = seen.now;
  },
  'not read': (seen) => {
    seen.isPaused = true;
  },
  'read again': (seen) => {
    if (seen.isPaused) seen.excuse();
    seen.isPaused = false;
  },
  'in doubt': (seen) => {
    seen.inDoubtSinceMs = seen.now;
  },
  'we stood still': (seen) => seen.excuse(15),
  said: ({ now }, side) => side.passFrames(now),
  'beats both ways': ({ now }, side) => side.setBeats(10, 15, now),
  'beats to it': ({ now }, side) => side.setBeats(7, 0, now),
  'slow beats of it': ({ now }, side) => side.setBeats(0, 30, now),
  nothing: () => {},
};

interface Step {
  readonly what: string;
  readonly thenMs: number;
}

function life(steps: readonly Step[], seen: Seen, side: Pick<Thorough, 'setBeats' | 'passFrames' | 'beat'>): string[] {
  for (const { what, thenMs } of steps) {
    happenings[what]?.(seen, side);
    for (const untilMs = seen.now + thenMs; seen.now < untilMs; ) {
      seen.now += 1;
      const silentMs = seen.now % LOOK_MS === 0 ? side.beat(seen.now) : 0;
      if (silentMs > 0) seen.done.push(`${seen.now} silent for ${silentMs}`);
    }
  }
  return seen.done;
}

function sideOf(seen: Seen): Pick<Thorough, 'setBeats' | 'passFrames' | 'beat'> {
  const leg = new Leg(seen as unknown as Socket, OPTIONS, 0);
  return {
    setBeats: (sendEveryMs, expectEveryMs, now) => leg.setBeats(sendEveryMs, expectEveryMs, now),
    passFrames: (now) => leg.passFrames(new Uint8Array(1), 0, 1, now),
    beat: (now) => leg.beat(now, HEARTBEAT),
  };
}

const steps = fc.array(
  fc.record({ what: fc.constantFrom(...Object.keys(happenings)), thenMs: fc.integer({ min: 0, max: 70 }) }),
  { minLength: 1, maxLength: 40 },
);

test('whatever happens, it is seen as by one that looks each time', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const [quick, thorough] = [new Seen(), new Seen()];
      expect(life(given, quick, sideOf(quick))).toEqual(life(given, thorough, new Thorough(thorough)));
    }),
    { numRuns: 3_000 },
  );
});

test('while nothing can be due the socket is not looked at', () => {
  const seen = new Seen();
  let looks = 0;
  const socket = new Proxy(seen, {
    get: (target, key) => {
      looks += 1;
      return Reflect.get(target, key);
    },
  });
  const leg = new Leg(socket as unknown as Socket, OPTIONS, 0);
  seen.isOpen = true;
  leg.beat(1, HEARTBEAT);
  looks = 0;
  for (let now = 2; now < OPTIONS.pingEveryMs; now++) leg.beat(now, HEARTBEAT);
  expect(looks).toBe(0);
  leg.beat(OPTIONS.pingEveryMs, HEARTBEAT);
  expect(looks).toBeGreaterThan(0);
});
