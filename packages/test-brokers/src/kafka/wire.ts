import { connect } from 'node:net';

/** A node as the broker announces it on the listener that was asked. */
export interface AnnouncedNode {
  readonly id: number;
  readonly address: string;
}

const API_VERSIONS = 18;
const METADATA = 3;

/** Asks a plain listener for its nodes (`Metadata` version 1, no topics). Rejects when it does not answer in time. */
export async function fetchNodes(address: string, timeoutMs: number): Promise<AnnouncedNode[]> {
  const noTopics = Buffer.alloc(4);
  const answer = await exchange(address, METADATA, 1, noTopics, timeoutMs);
  let at = 4;
  const string = (): string => {
    const length = answer.readInt16BE(at);
    at += 2 + Math.max(length, 0);
    return length < 0 ? '' : answer.toString('utf8', at - length, at);
  };
  return Array.from({ length: answer.readInt32BE(0) }, () => {
    const id = answer.readInt32BE(at);
    at += 4;
    const host = string();
    const port = answer.readInt32BE(at);
    at += 4;
    string();
    return { id, address: `${host}:${port}` };
  });
}

/** Asks a listener without TLS what it can do (`ApiVersions` version 0); resolves with the number of APIs. */
export async function fetchApiCount(address: string, timeoutMs: number): Promise<number> {
  const answer = await exchange(address, API_VERSIONS, 0, Buffer.alloc(0), timeoutMs);
  const errorCode = answer.readInt16BE(0);
  if (errorCode !== 0) throw new Error(`${address} answered ApiVersions with error ${errorCode}`);
  return answer.readInt32BE(2);
}

/** One request and its answer, without the answer's size and correlation id. */
function exchange(
  address: string,
  api: number,
  version: number,
  body: Buffer,
  timeoutMs: number,
): Promise<Buffer> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (message: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(`${address} ${message}`));
    };
    const timer = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`), timeoutMs);
    let received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(frame(api, version, body)));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed the connection'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      clearTimeout(timer);
      resolve(received.subarray(8));
      socket.destroy();
    });
  });
}

function frame(api: number, version: number, body: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header.writeInt32BE(10 + body.length, 0);
  header.writeInt16BE(api, 4);
  header.writeInt16BE(version, 6);
  header.writeInt32BE(1, 8);
  header.writeInt16BE(-1, 12);
  return Buffer.concat([header, body]);
}

/** Takes `host:port` apart. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
