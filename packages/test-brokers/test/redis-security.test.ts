import {
  type ClientCertificateKind,
  type RunningRedis,
  type ServerCertificate,
  startRedis,
} from '../src/index.js';
import { askRedis, type RedisUser } from '../src/redis/ask.js';
import type { RedisReply } from '../src/redis/resp.js';
import { natively } from './native.js';

const ALICE = { username: 'alice', password: 'alice-secret' };
const READER = { username: 'reader', password: 'reader-secret', rules: '~seen:* +@read' };

describe('users and TLS of a Redis', () => {
  let redis: RunningRedis;
  beforeAll(async () => {
    redis = await natively(() => startRedis({ tls: 'mutual', users: [ALICE, READER], report: () => {} }));
  }, 120_000);
  afterAll(() => redis.stop());

  const plain = (user: RedisUser | undefined, ...command: string[]): Promise<RedisReply> =>
    askRedis({ at: redis.address, user }, command, 2_000);

  it('let nobody in without logging in, and each user do what the rules say', async () => {
    await expect(plain(undefined, 'PING')).rejects.toThrow('NOAUTH');
    await expect(plain({ ...ALICE, password: 'guess' }, 'PING')).rejects.toThrow('WRONGPASS');
    expect(await plain(ALICE, 'SET', 'seen:1', 'yes')).toBe('OK');
    expect(await plain(READER, 'GET', 'seen:1')).toBe('yes');
    await expect(plain(READER, 'SET', 'seen:1', 'no')).rejects.toThrow('NOPERM');
    await expect(plain(READER, 'GET', 'other')).rejects.toThrow('NOPERM');
    expect(await redis.ask('ACL', 'WHOAMI')).toBe(redis.admin?.username);
  });

  const encrypted = (tls: { ca?: string; cert?: string; key?: string }): Promise<RedisReply> =>
    askRedis({ at: redis.tls?.address ?? redis.address, user: ALICE, tls }, ['GET', 'seen:1'], 2_000);

  it('let only clients in that trust the authority and have a certificate of it', async () => {
    const { ca = '', clientCertificate: cert = '', clientKey: key = '', url } = redis.tls ?? {};
    expect(url).toBe(`rediss://127.0.0.1:${redis.tls?.address.port}`);
    expect(await encrypted({ ca, cert, key })).toBe('yes');
    await expect(encrypted({ ca })).rejects.toThrow(/certificate required|closed the connection/);
    await expect(encrypted({ cert, key })).rejects.toThrow(/self-signed certificate/);
  });

  it('refuse a client certificate that is expired or of another authority', async () => {
    const { ca = '', issueClientCertificate } = redis.tls ?? {};
    const show = async (kind?: ClientCertificateKind): Promise<RedisReply> => {
      const { clientCertificate: cert = '', clientKey: key = '' } =
        (await issueClientCertificate?.('x', kind)) ?? {};
      return encrypted({ ca, cert, key });
    };
    expect(await show()).toBe('yes');
    for (const kind of ['expired', 'unknown-authority'] as const) {
      await expect(show(kind)).rejects.toThrow(/alert|closed the connection/);
    }
  });

  it('show another certificate while it runs', async () => {
    const { ca = '', clientCertificate: cert = '', clientKey: key = '' } = redis.tls ?? {};
    const refusals: [ServerCertificate, RegExp][] = [
      ['expired', /certificate has expired/],
      ['wrong-name', /does not match certificate/],
      ['unknown-authority', /unable to verify|self-signed|local issuer/],
    ];
    for (const [certificate, refusal] of refusals) {
      await redis.tls?.show(certificate);
      await expect(encrypted({ ca, cert, key })).rejects.toThrow(refusal);
    }
    await redis.tls?.show('valid');
    expect(await encrypted({ ca, cert, key })).toBe('yes');
  });

  it('change while it runs, by the commands of documentation', async () => {
    const bob = { username: 'bob', password: 'bob-secret' };
    const acl = (...words: string[]): Promise<string> => redis.administer(['redis-cli', 'ACL', ...words]);
    expect(await acl('SETUSER', 'bob', 'on', '>bob-secret', '~seen:*', '+get')).toBe('OK');
    expect(await plain(bob, 'GET', 'seen:1')).toBe('yes');
    expect(await acl('LIST')).toMatch(/^user alice on .*\nuser bob on /m);
    await acl('SETUSER', 'bob', '-get');
    await expect(plain(bob, 'GET', 'seen:1')).rejects.toThrow('NOPERM');
    await acl('SETUSER', 'bob', '<bob-secret', '>another');
    await expect(plain(bob, 'GET', 'seen:1')).rejects.toThrow('WRONGPASS');
    const wrong = acl('SETUSER', 'bob', '>canary', '+nonsense');
    await expect(wrong).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    await expect(wrong).rejects.toThrow(/redis-cli failed: ERR/);
    await expect(wrong).rejects.not.toThrow(/canary/);
  });

  it('need no client certificate where TLS is not mutual', async () => {
    const other = await natively(() =>
      startRedis({ tls: true, serverCertificate: 'expired', report: () => {} }),
    );
    try {
      const { ca = '', address = other.address } = other.tls ?? {};
      const ping = (): Promise<RedisReply> => askRedis({ at: address, tls: { ca } }, ['PING'], 2_000);
      await expect(ping()).rejects.toThrow(/certificate has expired/);
      await other.tls?.show('valid');
      expect(await ping()).toBe('PONG');
      expect(other.admin).toBeUndefined();
    } finally {
      await other.stop();
    }
  });
});
