/** Which profile a session gets: the configured one, or the one that its first CONNECTED shows. */
import type { Frame } from '../stomp/index.ts';
import type { Config } from './config/index.ts';
import { Profile, type ProfileName, type ProfileTerms, recognise } from './session/index.ts';

/** Profiles have no state, so that all sessions share one for each thing that a CONNECTED can show. */
export function profilesOf({ backend }: Config): (connected: Frame | undefined) => Profile {
  const terms = termsOf(backend);
  if (backend.profile !== 'auto') {
    const configured = new Profile(backend.profile, terms, 'backend.profile says so');
    return () => configured;
  }
  const known = new Map<ProfileName, Profile>();
  const notYet = new Profile('custom', terms, 'no pod has answered yet');
  return (connected) => {
    if (connected === undefined) return notYet;
    const { name, why } = recognise(connected);
    const profile = known.get(name) ?? new Profile(name, terms, why);
    known.set(name, profile);
    return profile;
  };
}

/** Only what the configuration says; the rest is the profile's own. */
function termsOf({ barrier, fanout, noReplay }: Config['backend']): Partial<ProfileTerms> {
  return {
    ...(barrier === undefined ? {} : { barrier }),
    ...(fanout === undefined ? {} : { fanout }),
    ...(noReplay === undefined ? {} : { noReplay }),
  };
}
