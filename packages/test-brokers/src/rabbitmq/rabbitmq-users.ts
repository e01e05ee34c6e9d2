/** What a user may do in a vhost: regular expressions that names have to match. */
export interface RabbitMQPermissions {
  /** @default '/' */
  readonly vhost?: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** Which routing keys a user may use at a topic exchange: regular expressions, beside the permissions. */
export interface RabbitMQTopicPermissions {
  /** @default '/' */
  readonly vhost?: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** Who may log in. */
export interface RabbitMQUserOptions {
  readonly username: string;
  /** Without one, nobody logs in by it: for users who show a certificate. */
  readonly password?: string;
  /** Such as `['monitoring']`. @default [] */
  readonly tags?: readonly string[];
  /** @default everything in the vhost `/` */
  readonly permissions?: readonly RabbitMQPermissions[];
  /** @default every routing key */
  readonly topicPermissions?: readonly RabbitMQTopicPermissions[];
}

/** Who and what there is from the start. */
export interface RabbitMQInhabitants {
  readonly vhosts: readonly string[];
  readonly users: readonly RabbitMQUserOptions[];
}

const ROOT = '/';
const EVERYTHING: RabbitMQPermissions = { configure: '.*', write: '.*', read: '.*' };
// A node that is given definitions makes no user of its own.
const GUEST: RabbitMQUserOptions = { username: 'guest', password: 'guest', tags: ['administrator'] };

/** The definitions (JSON) that a node reads when it starts; undefined where it is to have only its own. */
export function definitionsOf({ vhosts, users }: RabbitMQInhabitants): string | undefined {
  if (vhosts.length === 0 && users.length === 0) return undefined;
  const names = [...new Set([ROOT, ...vhosts])];
  const ofGuest = names.map((vhost) => ({ ...EVERYTHING, vhost }));
  const everybody = [{ ...GUEST, permissions: ofGuest }, ...users];
  return JSON.stringify({
    vhosts: names.map((name) => ({ name })),
    users: everybody.map(({ username, password, tags = [] }) => ({
      name: username,
      ...(password === undefined ? { password_hash: '' } : { password }),
      tags,
    })),
    permissions: everybody.flatMap(({ username, permissions = [EVERYTHING] }) =>
      permissions.map((permission) => ({ vhost: ROOT, ...permission, user: username })),
    ),
    topic_permissions: everybody.flatMap(({ username, topicPermissions = [] }) =>
      topicPermissions.map((permission) => ({ vhost: ROOT, ...permission, user: username })),
    ),
  });
}

/** Everything that is wrong with them. */
export function* inhabitantProblems({ vhosts, users }: RabbitMQInhabitants): Generator<string> {
  const names = [ROOT, ...vhosts];
  for (const { username, permissions = [], topicPermissions = [] } of users) {
    if (username === GUEST.username) yield `user name "${username}" is taken`;
    if (users.filter((other) => other.username === username).length > 1) yield `user "${username}" is twice`;
    for (const { vhost = ROOT } of [...permissions, ...topicPermissions]) {
      if (!names.includes(vhost)) yield `user "${username}" has permissions in "${vhost}", which is no vhost`;
    }
  }
}
