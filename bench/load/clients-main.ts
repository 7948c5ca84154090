/** The process with the users. */
import { Clients, type ClientsCalls } from './clients.ts';
import { serveCalls } from './remote.ts';

serveCalls<ClientsCalls>(new Clients());
