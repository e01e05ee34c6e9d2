import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../tls.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { type BrokerTlsFiles, usesTls } from './listeners.js';
import type { TlsMaterial } from './running-kafka.js';

/** The TLS files of one Kafka: those of the brokers, and what its clients need. */
export interface TlsFiles {
  readonly broker: BrokerTlsFiles;
  readonly material: TlsMaterial;
}

/** Makes an authority, and certificates for the brokers and for a client, when a listener uses TLS. */
export async function makeTlsFiles(
  options: ResolvedKafkaOptions,
  parent: string,
  brokerHosts: readonly string[],
): Promise<TlsFiles | undefined> {
  if (!options.listeners.some(usesTls)) return undefined;
  const folder = join(parent, 'tls');
  await mkdir(folder, { recursive: true });
  const authority = await createAuthority('Omnibus test authority');
  const [broker, client] = await Promise.all([
    authority.issue('Omnibus test broker', brokerHosts),
    authority.issue(options.users[0]?.username ?? 'client', []),
  ]);
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content, { mode: 0o644 });
    return join(folder, name);
  };
  const caPath = await write('ca.pem', authority.certificate);
  const brokerPath = await write('broker.pem', `${broker.key}${broker.certificate}`);
  return {
    broker: { caPath, brokerPath },
    material: {
      ca: authority.certificate,
      caPath,
      clientCertificate: client.certificate,
      clientCertificatePath: await write('client.pem', client.certificate),
      clientKey: client.key,
      clientKeyPath: await write('client-key.pem', client.key),
    },
  };
}
