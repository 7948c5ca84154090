/** What runs in the page: connects by one transport, subscribes, and tells the test what comes. */

interface StompClient {
  subscribe(destination: string, heard: (message: { body: string }) => void, headers: Record<string, string>): void;
  watchForReceipt(id: string, then: () => void): void;
  activate(): void;
  deactivate(): Promise<void>;
}

/** The parts of the libraries' globals that the page uses, and its own. */
interface Globals {
  SockJS: new (url: string, options: undefined, config: { transports: string }) => { readonly transport: string };
  StompJs: { Client: new (config: Record<string, unknown>) => StompClient };
  client: StompClient;
  heard(body: string): void;
  hasClosed(): void;
  leave(): Promise<void>;
}

export interface Connecting {
  readonly url: string;
  readonly transport: string;
}

/** Handed over to the browser as text: it can use nothing from outside. @returns the transport in use, once connected */
export async function connectInPage({ url, transport }: Connecting): Promise<string> {
  const page = globalThis as unknown as Globals;
  let socket: { readonly transport: string } | undefined;
  await new Promise<void>((resolve) => {
    page.client = new page.StompJs.Client({
      webSocketFactory: () => {
        socket = new page.SockJS(url, undefined, { transports: transport });
        return socket;
      },
      onConnect: () => resolve(),
      onWebSocketClose: () => page.hasClosed(),
    });
    page.leave = () => page.client.deactivate();
    page.client.activate();
  });
  return socket?.transport ?? '';
}

export interface Subscribing {
  readonly destination: string;
  /** Asked for, and waited for. */
  readonly receipt?: string;
}

/** Handed over to the browser as text, too. */
export async function subscribeInPage({ destination, receipt }: Subscribing): Promise<void> {
  const { client, heard } = globalThis as unknown as Globals;
  await new Promise<void>((resolve) => {
    if (receipt !== undefined) client.watchForReceipt(receipt, resolve);
    client.subscribe(destination, ({ body }) => heard(body), receipt === undefined ? {} : { receipt });
    if (receipt === undefined) resolve();
  });
}
