import { makeTlsFiles, type TlsFiles } from '../tls-files.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { usesTls } from './listeners.js';

/** Makes the TLS files when a listener uses TLS. */
export async function kafkaTlsFiles(
  options: ResolvedKafkaOptions,
  parent: string,
  brokerHosts: readonly string[],
): Promise<TlsFiles | undefined> {
  if (!options.listeners.some(usesTls)) return undefined;
  return makeTlsFiles(parent, brokerHosts, options.users[0]?.username ?? 'client');
}
