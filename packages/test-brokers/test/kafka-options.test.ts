import { DEFAULT_KAFKA_VERSION, startKafka } from '../src/index.js';
import { resolveKafkaOptions } from '../src/kafka/kafka-options.js';

describe('options of startKafka', () => {
  it('takes the version from the option, then from the environment, then the default', () => {
    const env = { OMNIBUS_KAFKA_VERSION: '3.9.1' };
    expect(resolveKafkaOptions({ version: '4.2.0' }, env).version).toBe('4.2.0');
    expect(resolveKafkaOptions({}, env).version).toBe('3.9.1');
    expect(resolveKafkaOptions({}, {}).version).toBe(DEFAULT_KAFKA_VERSION);
  });

  it('reports every problem together, before anything is started', async () => {
    const wrong = {
      node: 3,
      version: '2.8',
      heapMb: 0,
      listeners: [
        { name: 'CLIENT', protocol: 'SSL', mechanisms: ['PLAIN'] },
        { name: 'open', protocol: 'PLAINTEXT', clientCertificate: 'required' },
        { name: 'OLD', protocol: 'PLAINTEXT', serverCertificate: 'expired' },
        { name: 'ODD', protocol: 'SSL', serverCertificate: 'broken' },
        { name: 'TOKEN', protocol: 'SASL_SSL', tokens: 'signed' },
      ],
      acls: 'yes',
      written: {},
      users: [
        { username: 'a b', password: 'x"y' },
        { username: 'omnibus-admin', password: 'x' },
      ],
    } as object;
    const error: unknown = await startKafka(wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    for (const part of [
      'no option "node"',
      'version is "2.8"',
      'heapMb',
      '"CLIENT" is taken',
      'CLIENT has SASL mechanisms',
      '"open" must be upper case',
      'open asks for client certificates',
      'OLD has a serverCertificate',
      'ODD has serverCertificate "broken"',
      'TOKEN has signed tokens',
      'acls can be',
      'written is the whole',
      '"omnibus-admin" is taken',
      'user name "a b"',
      'password of a b',
    ]) {
      expect(String(error)).toContain(part);
    }
    expect(String(error)).not.toContain('x"y');
  });
});
