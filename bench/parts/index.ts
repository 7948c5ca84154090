/** All parts of the bench, in the order in which they are done. */
import type { Comparison, Solo } from '../part.ts';
import { connectStorm } from './connect-storm.ts';
import { decoder } from './decoder.ts';
import { echo } from './echo.ts';
import { flood } from './flood.ts';
import { handover } from './handover.ts';
import { post } from './post.ts';
import { profile } from './profile.ts';
import { push5000, push20000 } from './push.ts';
import { ring } from './ring.ts';
import { routing } from './routing.ts';
import { sessions } from './sessions.ts';
import { storm } from './storm.ts';

export { FIGURE } from './load-outcome.ts';

export const comparisons: readonly Comparison[] = [push5000, push20000, echo, flood, sessions];
export const solos: readonly Solo[] = [ring, routing, decoder, post, handover, storm, connectStorm, profile];
export const partNames: readonly string[] = [...comparisons, ...solos].map(({ name }) => name);
