import { bodyText } from '@omnibus/conformance-tests';
import type { KafkaTransport } from '../../src/transport.js';

/** Everything on the stream, per partition. */
export async function contents(transport: KafkaTransport): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  const { batches } = await transport.history.open({
    from: { kind: 'beginning' },
    until: { kind: 'now' },
    signal: undefined,
  });
  for await (const { partition, records } of batches)
    found.set(partition, [...(found.get(partition) ?? []), ...records.map(bodyText)]);
  return found;
}
