export type { Denied, Identifier, IdentityConfig, KnownUser, Verdict } from './identifier.ts';
export { createIdentifier } from './identifier.ts';
export type { OriginCheck } from './origin.ts';
export { createOriginCheck } from './origin.ts';
export type { ConnectFrame } from './reading.ts';
export type { UpgradeRequest } from './request.ts';
export { cameFrom, headerValues, upgradeRequest } from './request.ts';
export type { ConnectHeaders } from './upstream-headers.ts';
export { MAX_USER_BYTES, userNameProblem } from './user-name.ts';
