/** Sessions by user and by where they are, held against a list of them all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fleet } from '../../proxy/routing/fleet.ts';
import { leave, leaveNone, newPlace, type Place, podsOf, unlink } from '../../proxy/routing/place.ts';
import { Places } from '../../proxy/routing/places.ts';
import { Siblings } from '../../proxy/routing/siblings.ts';
import { pod, topology } from './world.ts';

const USERS = ['alice', 'bob'];
const PODS = ['a', 'b', 'c'].map((name) => pod(name));

/** What makes sessions of one user alike. */
const likeness = (place: Pick<Place, 'key' | 'pod' | 'left'>) =>
  `${place.key} ${place.pod?.name} ${place.left.map(({ name }) => name)}`;

const byNumber = (one: number, other: number) => one - other;

/** The groups of a user by name, as they are and as they should be. */
function groupsOf(places: Places<number>, user: string) {
  const groups = [...places.groupsOf(user)];
  return new Map(groups.map(({ where, sessions }) => [likeness(where), [...sessions].sort(byNumber)]));
}

function expected(all: ReadonlyMap<number, Place>, user: string) {
  const groups = new Map<string, number[]>();
  for (const [session, place] of all) {
    if (place.user !== user) continue;
    const group = groups.get(likeness(place)) ?? [];
    groups.set(likeness(place), [...group, session]);
  }
  return groups;
}

const step = fc.record({
  user: fc.constantFrom(...USERS),
  key: fc.constantFrom('key', 'other key'),
  does: fc.constantFrom('add', 'remove', 'link', 'unlink', 'commit'),
  which: fc.nat(),
  to: fc.constantFrom(...PODS),
});

describe('places', () => {
  test('know the sessions of a user by where they are, whatever has happened', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
        const places = new Places<number>();
        const all = new Map<number, Place>();
        let last = 0;
        for (const { user, key, does, which, to } of steps) {
          const sessions = [...all.keys()];
          const session = sessions[which % sessions.length];
          const place = all.get(session ?? 0);
          if (does === 'add') {
            const added = newPlace(user, key);
            all.set(++last, added);
            places.add(last, added);
          } else if (session !== undefined && place !== undefined) {
            const before = likeness(place);
            const others = [...all].filter(([id, other]) => id !== session && other.user === place.user);
            const isLast = !others.some(([, other]) => likeness(other) === before);
            if (does === 'remove') {
              all.delete(session);
              expect(places.remove(session)).toBe(others.length === 1 ? others[0]?.[0] : undefined);
            } else {
              const change = { link: (moved: Place) => linkTo(moved, to), unlink, commit: leaveNone }[does];
              expect(places.move(session, place, change)).toBe(isLast);
              expect(places.groupOf(session)?.where).toMatchObject({ pod: place.pod, left: place.left });
            }
          }
          for (const each of USERS) {
            expect(groupsOf(places, each)).toEqual(expected(all, each));
            expect(places.countOf(each)).toBe([...all.values()].filter((one) => one.user === each).length);
          }
          expect([...places.sessions()]).toEqual([...all.keys()]);
        }
      }),
    );
  });

  test('of a thousand sessions of one user that are at two pods are two groups', () => {
    const places = new Places<number>();
    for (let session = 1; session <= 1000; session++) {
      const place = newPlace('alice', 'alice');
      places.add(session, place);
      places.move(session, place, (moved) => linkTo(moved, PODS[session % 2]));
    }
    expect([...places.groupsOf('alice')].map(({ where }) => podsOf(where).map(({ name }) => name))).toEqual([
      ['b'],
      ['a'],
    ]);
    expect(places.countOf('alice')).toBe(1000);
  });

  test('a session that is not known is nowhere', () => {
    const places = new Places<number>();
    expect([places.groupOf(1), places.remove(1), places.countOf('alice'), [...places.groupsOf('alice')]]).toEqual([
      ...[undefined, undefined, 0, []],
    ]);
  });
});

describe('siblings', () => {
  /** Where a newcomer goes whose siblings have been at these pods, the last one now. */
  function joins(preferred: string, ...siblings: readonly (readonly string[])[]): string | undefined {
    const places = new Places<number>();
    const fleet = new Fleet(1);
    fleet.update(topology('a', 'b', 'c', 'd'));
    siblings.forEach((names, session) => {
      const place = newPlace('alice', 'alice');
      places.add(session, place);
      for (const name of names) places.move(session, place, (moved) => linkTo(moved, fleet.pod(`uid-${name}`)));
    });
    return new Siblings(places, fleet).podOf('alice', ({ name }) => name === preferred)?.name;
  }

  test('are joined where all of them read, at the preferred pod of several, else at the preferred pod of any', () => {
    expect(joins('d', ['a', 'b'], ['a', 'c'])).toBe('a');
    expect(joins('b', ['a', 'b'], ['a', 'c'])).toBe('a');
    expect(joins('b', ['b', 'c', 'a'], ['c', 'b'])).toBe('b');
    expect(joins('c', ['b', 'c', 'a'], ['c', 'b'])).toBe('c');
    expect(joins('b', ['a'], ['b'])).toBe('b');
    expect(joins('d', ['a'], ['b'])).toBe('a');
    expect(joins('d', [])).toBeUndefined();
  });
});

function linkTo(place: Place, to: (typeof PODS)[number] | undefined): void {
  if (place.pod !== undefined) leave(place, place.pod);
  place.pod = to;
}
