import kafkajs from 'kafkajs';
import { type Assignment, assignPartitions, type MemberClaim } from './assigner.js';

/** What members of a group tell each other, in the envelope of Kafka's consumer protocol, which its tools can read. */
export const PROTOCOL_NAME = 'omnibus-cooperative-sticky';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const VERSION = 0;

interface ClaimData {
  readonly owned: readonly number[];
  readonly generation: number;
}

/** What this member says when it joins. */
export function encodeClaim(topic: string, claim: ClaimData): Buffer {
  return MemberMetadata.encode({
    version: VERSION,
    topics: [topic],
    userData: Buffer.from(JSON.stringify(claim)),
  });
}

/** A member as the coordinator presents it to the leader. */
export interface JoinedMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

/** The topics that the members consume: as a rule one, but nothing keeps buses of two topics from using one group's name. */
export function topicsOf(members: readonly JoinedMember[]): string[] {
  return [...new Set(members.map(({ memberMetadata }) => topicOf(memberMetadata)))];
}

/** The leader's answer to what all members said. Each topic is shared out among those who consume it. */
export function assign(
  members: readonly JoinedMember[],
  partitions: ReadonlyMap<string, number>,
): { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  return [...partitions].flatMap(([topic, count]) => {
    const consuming = members.filter(({ memberMetadata }) => topicOf(memberMetadata) === topic);
    const claims = consuming.map(
      ({ memberId, memberMetadata }): MemberClaim => ({ memberId, ...decodeClaim(memberMetadata) }),
    );
    return [...assignPartitions(claims, count)].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: encodeAssignment(topic, assignment),
    }));
  });
}

function encodeAssignment(topic: string, { partitions, incomplete }: Assignment): Buffer {
  return MemberAssignment.encode({
    version: VERSION,
    assignment: { [topic]: [...partitions] },
    userData: Buffer.from(JSON.stringify({ incomplete })),
  });
}

function topicOf(metadata: Buffer): string {
  return MemberMetadata.decode(metadata)?.topics[0] ?? '';
}

/** What the leader told this member. */
export function decodeAssignment(topic: string, data: Buffer): Assignment {
  const decoded = data.length === 0 ? null : MemberAssignment.decode(data);
  const said = parse(decoded?.userData) as { readonly incomplete?: boolean } | undefined;
  return { partitions: decoded?.assignment[topic] ?? [], incomplete: said?.incomplete === true };
}

function decodeClaim(metadata: Buffer): ClaimData {
  const said = parse(MemberMetadata.decode(metadata)?.userData) as Partial<ClaimData> | undefined;
  const owned = Array.isArray(said?.owned)
    ? said.owned.filter((partition) => Number.isSafeInteger(partition) && partition >= 0)
    : [];
  return { owned, generation: typeof said?.generation === 'number' ? said.generation : -1 };
}

function parse(data: Buffer | null | undefined): unknown {
  if (!data || data.length === 0) return undefined;
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
