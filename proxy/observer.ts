/**
 * What becomes of facts: metrics, and a log that tells the story of a handover in five lines (topology changed, handover
 * started, link connected, switched, handed over) and of a recovery in four.
 */
import type { Pod } from './discovery/index.ts';
import type { DoorObserver } from './listeners/reception.ts';
import type { Log, UserField } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Observer } from './relay/switchboard.ts';
import { describeEnd, type Fact } from './session/index.ts';

interface Who {
  readonly id: number;
  readonly user: string;
}

/** Session, user (as the log may show it) and what happened. */
type Story = (fields: object, message: string, level?: 'info' | 'warn') => void;

export function createObserver(metrics: Metrics, log: Log, userField: UserField): Observer & DoorObserver {
  const toClient = metrics.messages.of('to-client');
  const toPod = metrics.messages.of('to-pod');
  /** Said once, and again when a session sees something else: pods of two kinds behind one proxy are a mistake. */
  let backend = '';
  const noteBackend = ({ profile, why }: Extract<Fact, { type: 'backend-known' }>) => {
    if (profile === backend) return;
    backend = profile;
    log.info({ profile, why }, 'backend known: set backend.profile if it is something else');
  };
  return {
    forwarded: (direction, frames) => (direction === 'to-client' ? toClient : toPod).inc(frames),
    bounced: (times) => metrics.bounces.inc(times),
    ringChanged: (target, committed) => {
      metrics.ringIs(committed);
      log.info({ target, committed }, target === committed ? 'ring committed' : 'ring changed: sessions move');
    },
    denied: (reason) => metrics.authDenied.of(reason).inc(),
    failed: (who, error) => {
      metrics.clientCloses.of('internal').inc();
      log.error(
        { session: who.id, ...userField(who.user), err: error },
        'session ended by a mistake of the proxy: please report it',
      );
    },
    protocolError: (code) => metrics.protocolErrors.of(code).inc(),
    fact: (who, fact) => {
      if (fact.type === 'backend-known') return noteBackend(fact);
      count(metrics, fact);
      tell(storyOf(log, userField, who), fact, (words) => words.replaceAll(who.user, '(user)'));
    },
  };
}

function count(metrics: Metrics, fact: Fact): void {
  switch (fact.type) {
    case 'link-failed':
      if (fact.kept && fact.blame !== 'nobody') metrics.handovers.of('kept').inc();
      return;
    case 'switched':
      metrics.handovers.of('done').inc();
      return metrics.moves.inc();
    case 'handed-over':
      metrics.handoverGap.observe(fact.gapMs / 1000);
      return metrics.gaps.of(fact.proven ? 'proven' : 'unproven').inc();
    case 'recovered':
      return countRecovery(metrics, fact.gapMs);
    case 'resent':
      return metrics.resent.inc(fact.frames);
    case 'duplicate-dropped':
      return metrics.duplicatesDropped.inc();
    case 'ack-dropped':
      return metrics.acksDropped.inc();
    case 'sequence':
      return sequenceTally(metrics, fact.kind).inc(fact.count);
    case 'ended':
      return countEnd(metrics, fact.why);
  }
}

function countRecovery(metrics: Metrics, gapMs: number): void {
  metrics.handovers.of('recovered').inc();
  metrics.moves.inc();
  metrics.recoveryGap.observe(gapMs / 1000);
  metrics.gaps.of('unproven').inc();
}

function countEnd(metrics: Metrics, why: Extract<Fact, { type: 'ended' }>['why']): void {
  metrics.clientCloses.of(why).inc();
  if (why === 'outage' || why === 'continuity') metrics.handovers.of('lost').inc();
  if (why === 'client-protocol') metrics.protocolErrors.of('session').inc();
}

function sequenceTally(metrics: Metrics, kind: 'lost' | 'reordered' | 'duplicated') {
  if (kind === 'lost') return metrics.sequenceLost;
  return kind === 'reordered' ? metrics.sequenceReordered : metrics.sequenceDuplicated;
}

function storyOf(log: Log, userField: UserField, who: Who): Story {
  return (fields, message, level = 'info') =>
    log[level]({ session: who.id, ...userField(who.user), ...fields }, message);
}

/** @param plain what a pod has said, without the name of the user: an ERROR or a close may well hold it */
function tell(story: Story, fact: Fact, plain: (words: string) => string): void {
  switch (fact.type) {
    case 'handover-started':
      return story(route(fact), 'handover started');
    case 'left-first':
      return story({ ...route(fact), why: fact.why }, 'the old link ends first: the backend allows one at a time');
    case 'link-live':
      return story({ pod: fact.pod.name, cause: fact.cause, tookMs: round(fact.tookMs) }, 'link connected');
    case 'switched':
      return story(route(fact), 'switched: the barrier is passed, the old link drains');
    case 'handed-over':
      return story({ ...route(fact), gapMs: round(fact.gapMs), continuity: proof(fact.proven) }, 'handed over');
    case 'link-failed':
      if (fact.blame === 'nobody') return;
      return story(
        { pod: fact.pod.name, cause: fact.cause, why: plain(fact.why), blame: fact.blame },
        fact.kept ? 'handover kept: the session stays where it was' : 'link failed: another one is tried',
        'warn',
      );
    case 'link-lost':
      return story({ pod: fact.pod.name, why: plain(describeEnd(fact.end)) }, 'link lost: frames are held', 'warn');
    case 'recovered':
      return story(
        { ...route(fact), gapMs: round(fact.gapMs), attempts: fact.attempts },
        'recovered: the gap is announced',
        'warn',
      );
    case 'ended':
      return story({ why: fact.why }, 'session ended');
  }
}

function route({ from, to }: { from: Pod; to: Pod }): { from: string; to: string } {
  return { from: from.name, to: to.name };
}

function proof(proven: boolean): 'proven' | 'unproven' {
  return proven ? 'proven' : 'unproven';
}

/** Tenths of a millisecond tell enough. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
