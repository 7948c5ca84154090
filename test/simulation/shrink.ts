/** Makes a failing plan small: whatever can be left out while it still fails is left out. */
import type { Plan } from './plan.ts';

/** Worlds that one shrinking may try; each takes milliseconds. */
const TRIES_MAX = 1_500;

type Parts = { [K in keyof Plan]: Plan[K] extends readonly (infer T)[] ? T[] : never };
type ListName = 'faults' | 'sayings';

export async function shrink(plan: Plan, isBroken: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let tries = 0;
  const fails = async (candidate: Plan) => ++tries <= TRIES_MAX && (await isBroken(candidate));
  let small = plan;
  for (let before = Number.POSITIVE_INFINITY; sizeOf(small) < before; ) {
    before = sizeOf(small);
    for (const list of ['faults', 'sayings'] as const) small = await without(small, list, fails);
    small = await fewerMessages(small, fails);
    small = await simpler(small, fails);
  }
  return small;
}

function sizeOf({ faults, sayings, users, pods }: Plan): number {
  const messages = users.reduce((sum, { messagesAtMs, sessions }) => sum + messagesAtMs.length + 10 * sessions, 0);
  return faults.length + sayings.length + messages + pods;
}

/** Leaves out ever smaller runs of one list. */
async function without(plan: Plan, name: ListName, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  const put = (items: readonly unknown[]): Plan => ({ ...plan, [name]: items as Parts[ListName] });
  return put(await fewer<unknown>(plan[name], (items) => fails(put(items))));
}

async function fewerMessages(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let small = plan;
  for (let i = 0; i < plan.users.length; i++) {
    const put = (messagesAtMs: readonly number[]): Plan => ({
      ...small,
      users: small.users.map((user, at) => (at === i ? { ...user, messagesAtMs } : user)),
    });
    const user = small.users[i];
    if (user !== undefined) small = put(await fewer(user.messagesAtMs, (times) => fails(put(times))));
  }
  return small;
}

async function fewer<T>(items: readonly T[], fails: (items: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let left = items;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length; ) {
      const candidate = [...left.slice(0, at), ...left.slice(at + size)];
      if (await fails(candidate)) left = candidate;
      else at += size;
    }
  }
  return left;
}

/** Fewer sessions, users and pods, no fan-out, plain network. */
async function simpler(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let small = plan;
  const candidates: ((plan: Plan) => Plan)[] = [
    (from) => ({ ...from, users: from.users.slice(0, 1) }),
    (from) => ({ ...from, users: from.users.slice(1) }),
    (from) => ({ ...from, users: from.users.map((user) => ({ ...user, sessions: 1 })) }),
    (from) => ({ ...from, users: from.users.map((user) => ({ ...user, isLocal: true })) }),
    (from) => ({ ...from, fanout: false }),
    (from) => ({ ...from, ticker: false }),
    (from) => ({ ...from, work: undefined }),
    (from) => ({ ...from, pods: Math.max(2, from.pods - 1) }),
    (from) => ({ ...from, latencyMs: 1 }),
  ];
  for (const change of candidates) {
    const candidate = change(small);
    if (candidate.users.length > 0 && (await fails(candidate))) small = candidate;
  }
  return small;
}
