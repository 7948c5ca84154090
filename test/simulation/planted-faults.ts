/**
 * Faults that the simulation must find: one wrong line each, in the words of the sources. plant.ts puts them in as files are loaded.
 */
export interface PlantedFault {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const MOVES = 'proxy/session/moves.ts';
const LINKS = 'proxy/session/links.ts';
const CLIENT = 'proxy/session/client.ts';
const ORDERING = 'proxy/session/ordering.ts';
const ROUTING = 'proxy/routing/routing.ts';
const DELIVERY = 'proxy/session/delivery.ts';
const SPLICE = 'proxy/session/splice.ts';

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'skip the barrier',
    file: MOVES,
    find: 'if (awaiting.size === 0 && !settles) passBarrier(core, link, now);',
    replace: 'if (!settles) passBarrier(core, link, now);',
  },
  {
    name: 'one receipt is barrier enough',
    file: MOVES,
    find: '  state.awaiting.delete(id);\n  if (state.awaiting.size === 0) passBarrier',
    replace: '  state.awaiting.delete(id);\n  passBarrier',
  },
  {
    name: 'drop the hold',
    file: CLIENT,
    find: 'if (mustWait(core, frame)) return core.clientHold.push({ frame, bytes: frame.bytes, binary });',
    replace: 'if (mustWait(core, frame)) return;',
  },
  {
    name: 'what is held never goes',
    file: CLIENT,
    find: "if (core.phase === 'open') pass(core, frame, binary, now);",
    replace: "if (core.phase === 'open') core.clientHold.push({ frame, bytes: frame.bytes, binary });",
  },
  {
    name: 'the hold is never full',
    file: 'proxy/session/core.ts',
    find: 'return this.clientHold.bytes + this.receipts.bytes > this.options.holdBytes;',
    replace: 'return this.clientHold.bytes + this.receipts.bytes < 0;',
  },
  {
    name: 'drain for zero time',
    file: MOVES,
    find: 'drainUntilMs: now + commitMaxMs + drainMaxMs, erroredAtMs: undefined });',
    replace: 'drainUntilMs: now + 0 * (commitMaxMs + drainMaxMs), erroredAtMs: undefined });',
  },
  {
    name: 'cut the old link at the barrier',
    file: MOVES,
    find: 'if (from !== undefined) leave(core, from, link, now);',
    replace: 'if (from !== undefined) { leave(core, from, link, now); cut(core, from, now); }',
  },
  {
    name: 'resend without dedup',
    file: DELIVERY,
    find: 'const isRepeat = id !== undefined',
    replace: "const isRepeat = id === 'never'",
  },
  {
    name: 'forget an UNSUBSCRIBE during a handover',
    file: CLIENT,
    find: 'if (named?.onlyOn === undefined) tellOthers(core, frame, now);',
    replace: '',
  },
  {
    name: 'forget a SUBSCRIBE during a handover',
    file: CLIENT,
    find: 'if (onlyOn === undefined) tellOthers(core, frame, now);',
    replace: '',
  },
  {
    name: 'an UNSUBSCRIBE leaves the subscription in the replay',
    file: CLIENT,
    find: 'const removed = core.subscriptions.remove(unsubscribe);',
    replace: 'const removed = { id: unsubscribe.header("id"), destination: "" };',
  },
  {
    name: 'ignore link generation',
    file: 'proxy/session/session.ts',
    find: 'const link = this.#core.links.get(event.link);',
    replace: 'const link = this.#core.links.get(event.link) ?? this.#core.primary;',
  },
  {
    name: 'answer a receipt twice',
    file: 'proxy/session/receipts.ts',
    find: 'const [paid] = this.#owed.splice(index, 1);',
    replace: 'const paid = this.#owed[index];',
  },
  {
    name: 'every RECEIPT goes to the client',
    file: LINKS,
    find: 'return paid !== undefined || isUncounted',
    replace: "return paid !== undefined || id !== '' || isUncounted",
  },
  {
    name: 'lose a SEND whose receipt is owed',
    file: MOVES,
    find: "if (frame.command === 'SEND') {\n      core.sendLink(",
    replace: "if (frame.command === 'SEND') {\n      if (binary) core.sendLink(",
  },
  {
    name: 'stale topology wins',
    file: 'proxy/discovery/slices.ts',
    find: '    b.writtenAt - a.writtenAt ||\n    Number(b.terminating) - Number(a.terminating) ||',
    replace: '    a.writtenAt - b.writtenAt ||\n    Number(b.terminating) - Number(a.terminating) ||',
  },
  {
    name: 'a list does not take away',
    file: 'proxy/discovery/slice-store.ts',
    find: 'this.#byName = next;',
    replace: 'if (next.size === 0) this.#byName = next;',
  },
  {
    name: 'messages of the new link never wait',
    file: ORDERING,
    find: 'if (!this.#hasAwaited(message)) return message.arrivedMs;',
    replace: 'return message.arrivedMs;',
  },
  {
    name: 'a hole in the numbers is not waited for',
    file: ORDERING,
    find: 'return this.#giveUpAt(message);',
    replace: 'return message.arrivedMs;',
  },
  {
    name: 'every end is proven',
    file: LINKS,
    find: 'drained(core, link, answersDisconnect(link, linkEnd), now);',
    replace: 'drained(core, link, true, now);',
  },
  {
    name: 'a recovery is called proven',
    file: MOVES,
    find: 'planned: outage.isPlanned, gapMs, proven: false });',
    replace: 'planned: outage.isPlanned, gapMs, proven: true });',
  },
  {
    name: 'commit before sessions have moved',
    file: 'proxy/routing/commitment.ts',
    find: 'if ((isKnown && this.#astray.size === 0) || now >= this.#overdueAtMs) this.#ready',
    replace: 'this.#ready',
  },
  {
    name: 'a slot of a pod is never given back',
    file: 'proxy/routing/pod-health.ts',
    find: 'this.#inFlight = Math.max(0, this.#inFlight - 1);',
    replace: 'this.#inFlight = Math.max(1, this.#inFlight - 1);',
  },
  {
    name: 'a failed move is not tried again',
    file: ROUTING,
    find: 'place.notBeforeMs = now + this.#waits.backoffMs(place.failures++);\n    this.#reconcile(session, place, now);',
    replace: 'place.notBeforeMs = now + this.#waits.backoffMs(place.failures++);',
  },
  {
    name: 'a failed recovery is not tried again',
    file: LINKS,
    find: 'abandon(core, link, blame, why, now);\n  requestLink(core);',
    replace: 'abandon(core, link, blame, why, now);',
  },
  {
    name: 'the session ends with any close',
    file: 'proxy/session/classify.ts',
    find: 'return code === 1008 || (code >= 4000',
    replace: 'return code === 1008 || code === 1011 || (code >= 4000',
  },
  {
    name: 'the old link is left open after its end',
    file: LINKS,
    find: "core.emit({ type: 'close-link', link: link.id, how: 'close' });\n  for",
    replace: 'for',
  },
  {
    name: 'an ACK goes to the primary link',
    file: 'proxy/session/acknowledge.ts',
    find: 'const link = core.links.get(delivery.link);',
    replace: 'const link = core.primary;',
  },
  {
    name: 'two links with one id for two deliveries',
    file: 'proxy/session/acks.ts',
    find: 'const isTaken = this.#open.has(nameOf(id, subscription, version)) || isOwn;',
    replace: 'const isTaken = isOwn;',
  },
  {
    name: 'what a broker gives out again is dropped as a repeat',
    file: DELIVERY,
    find: 'wantsAck && isRedelivered(core, message.frame) ? DELIVER',
    replace: 'wantsAck && !isRedelivered(core, message.frame) ? DELIVER',
  },
  {
    name: 'copies of a topic are not known again',
    file: SPLICE,
    find: 'if (member.shown.take(print)) {',
    replace: "if (print === 'never' && member.shown.take(print)) {",
  },
  {
    name: 'a link that follows is not held',
    file: SPLICE,
    find: '      member.held.add(print, message);\n      return [];',
    replace: '      return [message];',
  },
  {
    name: 'what the next leader holds is lost',
    file: SPLICE,
    find: 'return leader === undefined || leader === before ? [] : this.#takeOver(leader, now);',
    replace: 'return leader === undefined || leader === before ? [] : this.#takeOver(leader, now).slice(1);',
  },
  {
    name: 'an open transaction is not said again',
    file: MOVES,
    find: 'if (repeatsTransactions) repeatTransactions(core, link, now);',
    replace: 'if (repeatsTransactions && core.lastLink < 0) repeatTransactions(core, link, now);',
  },
  {
    name: 'an open transaction is said again without being undone',
    file: MOVES,
    find: "core.sendLink(core.primary, encode('ABORT', { transaction }, undefined, core.version));",
    replace: "core.sendLink(core.primary, encode('COMMIT', { transaction }, undefined, core.version));",
  },
  {
    name: 'a subscription that asks for one answer is said again',
    file: MOVES,
    find: 'if (subscription.onlyOn !== undefined) continue;',
    replace: '',
  },
  {
    name: 'the new pod is dialled before the old one is left',
    file: MOVES,
    find: 'if (primary !== undefined && exclusive !== undefined) return breakFirst',
    replace: "if (primary !== undefined && exclusive === 'never') return breakFirst",
  },
  {
    name: 'a producer tries again under a new id',
    file: 'producer/delivery.ts',
    find: 'return await transport.post(pod, this.#message, Math.min',
    replace: 'return await transport.post(pod, { ...this.#message, id: String(clock.now()) }, Math.min',
  },
  {
    name: 'a pod that drops sessions is asked again at once',
    file: 'proxy/routing/bounces.ts',
    find: 'return isBouncing(place) && refusedBy.includes(podId) ? Math.min(returnAtMs, arrivedAtMs + atMost) : 0;',
    replace: 'return 0 * (returnAtMs + arrivedAtMs + atMost + refusedBy.length + podId.length);',
  },
];
