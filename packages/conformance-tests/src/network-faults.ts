/**
 * What a network does to those who trust it. `TcpProxy` implements it with sockets; a broker inside the process may
 * implement `cut`, `refuse` and `heal`, and reject the rest.
 */
export interface NetworkFaults {
  /** Resets every open connection, on both sides. New ones are accepted. */
  cut(): Promise<void>;
  /** Nothing passes any more, in either direction, and nobody is told: no FIN, no RST. New connections hang likewise. */
  halfOpen(): Promise<void>;
  /** Delays every byte by `delayMs` in each direction. 0 ends it. */
  latency(delayMs: number): Promise<void>;
  /** Lets at most `bytesPerSecond` pass in each direction of each connection. `Infinity` ends it. */
  throttle(bytesPerSecond: number): Promise<void>;
  /** New connections are refused; open ones live on. */
  refuse(): Promise<void>;
  /** `cut`, `times` times, evenly spread over `withinMs`. */
  flap(times: number, withinMs: number): Promise<void>;
  /** Ends every fault. Connections that lost bytes to `halfOpen` are reset: they cannot be mended. */
  heal(): Promise<void>;
  /** Connections open through here now. */
  readonly open: number;
  /** Connections ever accepted. */
  readonly accepted: number;
  /** Pieces of data that came from clients: at rest, one for each command. */
  readonly sent: number;
}
