/** The process with the producers. */
import { Producers, type ProducersCalls } from './producers.ts';
import { serveCalls } from './remote.ts';

serveCalls<ProducersCalls>(new Producers());
