/** What the client is told on `/holdfast/session` when its session has moved, or may have lost something. */
import type { Pod } from '../discovery/index.ts';
import type { Core } from './core.ts';
import type { Link } from './link.ts';

export function announce(
  core: Core,
  moved: { from: Pod; to: Pod; planned: boolean; gapMs: number; proven: boolean },
): void {
  const { from, to, planned, gapMs, proven } = moved;
  const continuity = proven ? 'proven' : 'unproven';
  const notice = {
    type: 'moved',
    from: from.name,
    to: to.name,
    planned,
    gapMs: Math.round(gapMs),
    continuity,
  } as const;
  for (const bytes of core.notices.announce(notice, core.version)) core.sendClient(bytes);
}

/** A link that was never the session's own has ended with messages, maybe: producers find a session wherever it is subscribed. */
export function announceLost(core: Core, link: Link): void {
  if (core.primary === undefined) return;
  announce(core, { from: link.pod, to: core.primary.pod, planned: false, gapMs: 0, proven: false });
}

/** Nothing was lost on the way to this session; but messages went only to others of its user, maybe. */
export function announceApart(core: Core): void {
  if (core.primary === undefined) return;
  const { pod } = core.primary;
  announce(core, { from: pod, to: pod, planned: false, gapMs: 0, proven: false });
}
