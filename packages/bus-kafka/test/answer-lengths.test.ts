import net from 'node:net';
import { AnswerLengths } from '../src/answer-lengths.js';
import { KafkaTransport } from '../src/transport.js';
import { Told, testOptions } from './support/kafka.js';

const frame = (length: number, content = Math.max(0, length)): Buffer => {
  const bytes = Buffer.alloc(4 + content);
  bytes.writeInt32BE(length);
  return bytes;
};

describe('the lengths of answers', () => {
  test('are followed through chunks of any size', () => {
    const bytes = Buffer.concat([frame(5), frame(0), frame(300), frame(-1, 9)]);
    for (const size of [1, 2, 3, 7, 1_000]) {
      const lengths = new AnswerLengths();
      const absurd: (number | undefined)[] = [];
      for (let at = 0; at < bytes.length; at += size)
        absurd.push(lengths.absurdIn(bytes.subarray(at, at + size)));
      expect(absurd.find((each) => each !== undefined)).toBe(-1);
    }
    expect(new AnswerLengths().absurdIn(Buffer.from('HTTP/1.1 400'))).toBe(1_213_486_160);
  });

  test.each([
    ['a length that is negative', frame(-5, 60)],
    ['a length that is no length', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s is an error at once', async (_, answer) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const { port } = server.address() as net.AddressInfo;
    const transport = new KafkaTransport(testOptions({ brokers: `127.0.0.1:${port}` }));
    try {
      await expect(transport.open(new Told())).rejects.toMatchObject({
        name: 'BusError',
        message: expect.stringContaining('what answers is no Kafka broker'),
      });
    } finally {
      await transport.close();
      server.close();
    }
  });
});
