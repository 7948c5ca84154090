/** What runs in the page: connects by one transport, subscribes, and tells the test what comes. */

/** The parts of the libraries' globals that the page uses. */
interface Globals {
  SockJS: new (url: string, options: undefined, config: { transports: string }) => { readonly transport: string };
  StompJs: {
    Client: new (
      config: Record<string, unknown>,
    ) => {
      subscribe(destination: string, heard: (message: { body: string }) => void, headers: Record<string, string>): void;
      watchForReceipt(id: string, then: () => void): void;
      activate(): void;
      deactivate(): Promise<void>;
    };
  };
  heard(body: string): void;
  hasClosed(): void;
  leave(): Promise<void>;
}

export interface Connecting {
  readonly url: string;
  readonly transport: string;
  readonly destination: string;
}

/** Handed over to the browser as text: it can use nothing from outside. @returns the transport in use, once subscribed */
export async function connectInPage({ url, transport, destination }: Connecting): Promise<string> {
  const page = globalThis as unknown as Globals;
  let socket: { readonly transport: string } | undefined;
  await new Promise<void>((resolve) => {
    const client = new page.StompJs.Client({
      webSocketFactory: () => {
        socket = new page.SockJS(url, undefined, { transports: transport });
        return socket;
      },
      onConnect: () => {
        client.watchForReceipt('live', resolve);
        client.subscribe(destination, ({ body }) => page.heard(body), { receipt: 'live' });
      },
      onWebSocketClose: () => page.hasClosed(),
    });
    page.leave = () => client.deactivate();
    client.activate();
  });
  return socket?.transport ?? '';
}
