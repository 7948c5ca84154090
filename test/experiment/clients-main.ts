/** The process with the clients: stock stomp.js over ws, one for each user. */
import { Client, type IMessage } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import type { ClientEvent, ClientPlan, FromClients, ToClients } from './clients-messages.ts';
import { nowMs } from './clock.ts';
import { watchStalls } from './stall.ts';

/** Events are told in batches: a message of its own for each would cost more than the clients do. */
const BATCH_MS = 50;

type Open = Extract<ToClients, { type: 'open' }>;

const clients: Client[] = [];
let events: ClientEvent[] = [];
let leaving = false;
let stall = () => 0;

function tell(message: FromClients): void {
  process.send?.(message);
}

function flush(): void {
  if (events.length > 0) tell({ type: 'events', events });
  events = [];
}

/** Resolves when the client has connected and its subscriptions are live, if that can be known, for the first time. */
function open({ url, ...how }: Open, plan: ClientPlan): Promise<void> {
  const { user } = plan;
  return new Promise((resolve) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(url, ['v12.stomp'], { headers: { Username: user } }),
      debug: () => {},
    });
    client.onConnect = () => {
      void subscribe(client, plan, how).then(resolve);
    };
    client.onWebSocketClose = ({ code }: { code: number }) => {
      if (!leaving) events.push({ type: 'closed', user, code, atMs: nowMs() });
    };
    client.onStompError = ({ headers }) => {
      if (!leaving) events.push({ type: 'error', user, message: headers['message'] ?? '', atMs: nowMs() });
    };
    clients.push(client);
    client.activate();
  });
}

type How = Pick<Open, 'notices' | 'receipts'>;

async function subscribe(client: Client, { user, subscriptions }: ClientPlan, how: How): Promise<void> {
  const answered = subscriptions.map(({ destination, to }) =>
    subscribed(client, to, ({ body }) => {
      const { n } = JSON.parse(body) as { n: number };
      // Message 0 only asks whether somebody is there.
      if (n > 0) events.push({ type: 'message', user, destination, n, atMs: nowMs() });
    }),
  );
  if (how.notices) {
    client.subscribe('/holdfast/session', ({ body }) => {
      events.push({ type: 'notice', user, body, atMs: nowMs() });
    });
  }
  if (how.receipts) await Promise.all(answered);
}

let lastReceipt = 0;

function subscribed(client: Client, destination: string, onMessage: (message: IMessage) => void): Promise<void> {
  return new Promise((resolve) => {
    const receipt = `live-${++lastReceipt}`;
    client.watchForReceipt(receipt, () => resolve());
    client.subscribe(destination, onMessage, { receipt });
  });
}

async function leave(): Promise<void> {
  leaving = true;
  await Promise.all(clients.map((client) => client.deactivate()));
  flush();
  tell({ type: 'left', stallMs: stall() });
  process.disconnect?.();
}

process.on('message', (message: ToClients) => {
  if (message.type === 'leave') return void leave();
  void Promise.all(message.plans.map((plan) => open(message, plan))).then(() => {
    stall = watchStalls();
    tell({ type: 'open' });
  });
});
process.on('disconnect', () => process.exit());
setInterval(flush, BATCH_MS);
