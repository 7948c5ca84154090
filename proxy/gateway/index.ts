/** What producers use of the proxy, on the admin port: the ring, and a door for those without the library. */
export { createMessageDoor, type MessageDoorOptions } from './message-door.ts';
export { createRingDoor, type RingDoorOptions, type RingFacts } from './ring-door.ts';
