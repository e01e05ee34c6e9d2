import type { KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';
import { protocolError } from './protocol.js';
import { describeTopic } from './topic-requests.js';

const LEADER_NOT_AVAILABLE = 5;
const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** One topic as one client sees it: how many partitions, and who leads them. Asks the brokers when it does not know. */
export class TopicView {
  private leaders = new Map<number, number>();
  private id: string | undefined;
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly cluster: KafkaCluster,
    readonly topic: string,
  ) {}

  /** Another one when the topic was deleted and made anew. Undefined before the first `refresh`, and before Kafka 2.8. */
  get topicId(): string | undefined {
    return this.id;
  }

  /** 0 before the first `refresh`. Shrinks only when the topic was made anew. */
  get partitions(): number {
    return this.leaders.size;
  }

  /** Which broker leads the partition, as far as is known. */
  leaderIdOf(partition: number): number | undefined {
    const leader = this.leaders.get(partition);
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  /** Asks again. Calls made meanwhile share the answer. Throws `UNKNOWN_TOPIC_OR_PARTITION` of kafkajs without the topic. */
  refresh(): Promise<void> {
    this.refreshing ??= this.ask().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** The leader, connected. */
  async leaderOf(partition: number): Promise<KafkaBroker> {
    if (this.leaderIdOf(partition) === undefined) await this.refresh();
    const nodeId = this.leaderIdOf(partition);
    if (nodeId === undefined) throw protocolError(LEADER_NOT_AVAILABLE);
    return brokerById(this.cluster, nodeId);
  }

  /** Forgets who leads them: the next request asks. */
  forgetLeaders(partitions: Iterable<number> = [...this.leaders.keys()]): void {
    for (const partition of partitions) if (this.leaders.has(partition)) this.leaders.set(partition, -1);
  }

  private async ask(): Promise<void> {
    const broker = await this.cluster.brokerPool.findConnectedBroker();
    const found = await describeTopic(broker, this.topic);
    if (!found) throw protocolError(UNKNOWN_TOPIC_OR_PARTITION);
    if (found.id !== undefined) {
      if (found.id !== this.id) this.leaders.clear();
      this.id = found.id;
    }
    for (const { partitionId, leader } of found.partitions) this.leaders.set(partitionId, leader);
  }
}

/** A broker by its id, connected. A broker that joined after the last look is looked for again. */
export async function brokerById(cluster: KafkaCluster, nodeId: number): Promise<KafkaBroker> {
  try {
    return await cluster.findBroker({ nodeId });
  } catch (error) {
    if ((error as { readonly name?: string }).name !== 'KafkaJSBrokerNotFound') throw error;
    await cluster.refreshMetadata();
    return cluster.findBroker({ nodeId });
  }
}
