/** Where a listener of a Kafka really listens. */
export interface BoundListener {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}
