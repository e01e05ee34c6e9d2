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

/** The leader's answer to what all members said. */
export function assign(
  topic: string,
  partitions: number,
  members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[],
): { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  const claims = members.map(
    ({ memberId, memberMetadata }): MemberClaim => ({ memberId, ...decodeClaim(memberMetadata) }),
  );
  return [...assignPartitions(claims, partitions)].map(([memberId, assignment]) => ({
    memberId,
    memberAssignment: MemberAssignment.encode({
      version: VERSION,
      assignment: { [topic]: [...assignment.partitions] },
      userData: Buffer.from(JSON.stringify({ incomplete: assignment.incomplete })),
    }),
  }));
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
