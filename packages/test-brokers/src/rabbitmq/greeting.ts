import { connect } from 'node:net';

const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);
const VERSION = /version\x53....(\d+\.\d+\.\d+)/s;

/** Greets a broker and reads the version that it answers with. Rejects when nothing answers in time. */
export function greet(url: string, timeoutMs: number): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 5672) });
    let answer = '';
    const end = (error: Error | undefined, version = 'unknown'): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve(version);
    };
    socket.setTimeout(timeoutMs, () =>
      end(new Error(`${hostname}:${port} did not answer in ${timeoutMs} ms`)),
    );
    socket.once('error', end);
    socket.once('close', () => end(new Error(`${hostname}:${port} closed the connection`)));
    socket.once('connect', () => socket.write(PROTOCOL_HEADER));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      const [, version] = VERSION.exec(answer) ?? [];
      if (version !== undefined) end(undefined, version);
    });
  });
}
