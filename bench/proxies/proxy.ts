/** What the bench knows of a proxy. */

export interface RunningProxy {
  /** Where clients connect: HOST:PORT, several when clients take turns. */
  readonly addresses: readonly string[];
  /** undefined: there is no proxy. */
  readonly pid: number | undefined;
  /** How late its event loop was since the last call, 99th percentile in ms, if it tells. */
  loopDelayMs?(): Promise<number>;
  stop(): Promise<void>;
}

export interface ProxySetting {
  /** HOST:PORT of the pods. */
  readonly pods: readonly string[];
  /** For its files; removed after it. */
  readonly directory: string;
}

export interface ProxyKind {
  readonly name: string;
  readonly description: string;
  /** Its version, or undefined when it is not installed. */
  version(): string | undefined;
  start(setting: ProxySetting): Promise<RunningProxy>;
}
