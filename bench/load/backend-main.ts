/** The process with a pod. */
import { Backend, type BackendCalls } from './backend.ts';
import { serveCalls } from './remote.ts';

serveCalls<BackendCalls>(new Backend());
