import { randomBytes } from 'node:crypto';

/** A cluster id as Kafka wants it: 16 random bytes in base64url. */
export function newClusterId(): string {
  // One that starts with `-` would be read as an option of the storage tool.
  return `k${randomBytes(16).toString('base64url').slice(1)}`;
}
