/** A proxy that serves. */
export interface Running {
  /** As a browser or producer would write it: http://127.0.0.1:8080, with the port that was chosen for port 0. */
  readonly listenUrl: string;
  readonly adminUrl: string;
  /** Ends in order: not ready, clients closed at a pace, then the ports. Called once. */
  stop(): Promise<void>;
}
