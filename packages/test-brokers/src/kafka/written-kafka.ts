/** Where a node with a configuration that is not ours is to listen, and what it may use. */
export interface KafkaPlace {
  /** 1 for the first node. */
  readonly nodeId: number;
  /** `host:port` for each node's clients, in the order of node ids. */
  readonly clients: readonly string[];
  /** For the brokers among themselves. */
  readonly brokers: readonly string[];
  readonly controllers: readonly string[];
  readonly caPath: string;
  /** The certificate of all nodes, behind its key. */
  readonly certificatePath: string;
}

/** A configuration as it is written somewhere, to be tried as it stands. */
export interface WrittenKafka {
  /** The common name in the certificate of all nodes. */
  readonly commonName: string;
  /** The whole of `server.properties`, but for the folder of the data. */
  server(place: KafkaPlace): string;
  /** Arguments of `kafka-storage format` beside the file. */
  format(place: KafkaPlace): readonly string[];
  /** What the tools log in with. */
  admin(place: KafkaPlace): string;
}
