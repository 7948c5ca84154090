/** The process of a pod that takes messages of producers. */
import { type DoorCalls, PostDoor } from './door.ts';
import { serveCalls } from './remote.ts';

serveCalls<DoorCalls>(new PostDoor());
