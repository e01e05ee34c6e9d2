import { importFromProject } from '../load-package.js';
import type { Door, Undo } from '../security/secured.js';
import type { KafkaAdmin, KafkaJs } from './kafkajs-types.js';

/** Kafka's numbers for what an ACL is about. */
const TOPIC = 2;
const GROUP = 3;
const CLUSTER = 4;
const ALL = 2;
const DENY = 2;
const ALLOW = 3;
const LITERAL = 3;

/** One resource of an ACL. */
interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** What a user may do in a Kafka with ACLs: at first everything. */
export class KafkaRights {
  private constructor(
    private readonly admin: KafkaAdmin,
    private readonly principal: string,
  ) {}

  /** `brokers`: where whoever connects may do everything. */
  static async of(brokers: readonly string[], user: string): Promise<KafkaRights> {
    const { Kafka, logLevel } = (await importFromProject('kafkajs')) as KafkaJs;
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const rights = new KafkaRights(admin, `User:${user}`);
    const everything = [
      { resourceType: TOPIC, resourceName: '*' },
      { resourceType: GROUP, resourceName: '*' },
      { resourceType: CLUSTER, resourceName: 'kafka-cluster' },
    ];
    for (const resource of everything) await rights.#add(resource, ALLOW);
    return rights;
  }

  /** What is denied wins over what is allowed. */
  readonly deny: NonNullable<Door['deny']> = {
    stream: ({ namespace }) => this.#denying({ resourceType: TOPIC, resourceName: `${namespace}.stream` }),
    group: ({ group }) => this.#denying({ resourceType: GROUP, resourceName: group }),
    'dead letters': ({ namespace }) =>
      this.#denying({ resourceType: TOPIC, resourceName: `${namespace}.stream.dlq` }),
  };

  close(): Promise<void> {
    return this.admin.disconnect();
  }

  async #denying(resource: Resource): Promise<Undo> {
    await this.#add(resource, DENY);
    return async () => {
      await this.admin.deleteAcls({ filters: [this.#acl(resource, DENY)] });
    };
  }

  async #add(resource: Resource, permissionType: number): Promise<void> {
    await this.admin.createAcls({ acl: [this.#acl(resource, permissionType)] });
  }

  #acl(resource: Resource, permissionType: number): object {
    const { principal } = this;
    return {
      ...resource,
      resourcePatternType: LITERAL,
      principal,
      host: '*',
      operation: ALL,
      permissionType,
    };
  }
}
