/**
 * What was said on each link of one session about subscriptions. At any moment the links that count must say the same, and a
 * link may become primary only when its pod knows all of it: that is what the barrier is for.
 */
import type { LinkId } from '../../proxy/session/index.ts';
import type { Frame } from '../../stomp/index.ts';
import type { Profile } from './pods.ts';
import { STATE } from './settings.ts';
import { must } from './violation.ts';
import type { Wire } from './wire.ts';

interface Said {
  state: 'dialled' | 'replayed' | 'closing' | 'over';
  wasPrimary: boolean;
  /** Ids, and whether a receipt was asked for: without one nobody can know when the subscription is live. */
  readonly subscriptions: Map<string, boolean>;
}

export class LinkSubscriptions {
  readonly links = new Map<LinkId, Said>();
  #primary: LinkId | undefined;

  dialled(link: LinkId): void {
    this.links.set(link, { state: 'dialled', wasPrimary: false, subscriptions: new Map() });
  }

  said(link: LinkId, frame: Frame): void {
    const said = this.links.get(link);
    if (said === undefined) return;
    if (frame.command === 'DISCONNECT') said.state = 'closing';
    const id = frame.header('id') ?? '';
    // One that asks for one answer is said on one link.
    if (frame.command === 'SUBSCRIBE' && frame.header('destination') !== STATE)
      said.subscriptions.set(id, frame.header('receipt') !== undefined);
    if (frame.command === 'UNSUBSCRIBE') said.subscriptions.delete(id);
    if (said.state === 'dialled' && frame.command !== 'CONNECT') said.state = 'replayed';
  }

  over(link: LinkId): void {
    const said = this.links.get(link);
    if (said !== undefined) said.state = 'over';
    if (this.#primary === link) this.#primary = undefined;
  }

  /** The client's frames go to this link from now on. With receipts the pod must have taken every subscription by now. */
  primary(link: LinkId, wire: Wire, profile: Profile): void {
    const said = this.links.get(link);
    if (said === undefined) return;
    this.#primary = link;
    said.wasPrimary = true;
    if (profile !== 'receipt') return;
    for (const [id, canBeProven] of said.subscriptions) {
      must(
        wire.subscriptions.has(id) || !canBeProven,
        'no switch before the barrier',
        () => `link ${link} lacks ${id}`,
      );
    }
  }

  ofPrimary(): Iterable<string> {
    const primary = this.#primary === undefined ? undefined : this.links.get(this.#primary);
    return primary?.subscriptions.keys() ?? [];
  }

  /** Every link that has heard of subscriptions and does not close knows the same ones as the primary. */
  check(client: { readonly id: number }): void {
    const primary = this.#primary === undefined ? undefined : this.links.get(this.#primary);
    if (primary === undefined || primary.state === 'closing') return;
    for (const [link, { state, subscriptions }] of this.links) {
      if (state !== 'replayed' || subscriptions === primary.subscriptions) continue;
      must(sameKeys(subscriptions, primary.subscriptions), 'subscriptions of all links are the same', () => {
        const [has, wants] = [subscriptions, primary.subscriptions].map((each) => [...each.keys()].join());
        return `client ${client.id}: link ${link} has ${has}, the primary ${wants}`;
      });
    }
  }
}

function sameKeys(a: ReadonlyMap<string, boolean>, b: ReadonlyMap<string, boolean>): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) if (!b.has(key)) return false;
  return true;
}
