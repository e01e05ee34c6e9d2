import { MemoryBroker, PublishError } from '../src/index.js';
import { busOn, numbered, shutDownAll } from './memory-buses.js';

afterEach(shutDownAll);

async function failureOf(work: Promise<void>): Promise<PublishError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PublishError)) throw new Error('the publish did not fail as expected');
  return error;
}

describe('a publish that fails', () => {
  it('says that nothing was sent when one event of the call is bad', async () => {
    const bus = busOn(new MemoryBroker());
    const bad = { ...numbered('a', 2), data: { n: 1n } };
    const error = await failureOf(bus.publish([numbered('a', 1), bad]));
    expect(error).toMatchObject({ confirmed: 0, failures: [expect.objectContaining({ index: 1 })] });
    expect(error.message).toMatch(/^2 of 2 events were not published: /);
  });

  it('says that nothing was confirmed when the broker refuses until the time is up', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker, { publish: { timeoutMs: 100 } });
    broker.refuseSends(1_000);
    const error = await failureOf(bus.publish([numbered('a', 1), numbered('b', 1)]));
    expect(error).toMatchObject({ confirmed: 0, retryable: true });
    expect(error.failures.map(({ index }) => index)).toEqual([0, 1]);
  });
});
