import { MemoryBroker } from '../src/index.js';
import { MemoryTransport } from '../src/memory/memory-transport.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';

afterEach(shutDownAll);

describe('joining', () => {
  it('leaves no member behind when it fails', async () => {
    const broker = new MemoryBroker();
    const transport = new MemoryTransport(broker, 'events');
    const nothing = (): void => undefined;
    await transport.open({
      disconnected: nothing,
      reconnected: nothing,
      rebalanced: nothing,
      error: nothing,
      warning: nothing,
      fenced: nothing,
    });
    const spec = {
      group: { name: 'g', startFrom: 'earliest', ephemeral: false },
      consumerName: 'c',
      handOverTimeoutMs: 10,
      maxInFlight: 10,
    } as const;
    const lost: number[] = [];
    const joining = transport.consume(spec, {
      assign: (partition) => ({
        deliver: nothing,
        open: () => Promise.reject(new Error('no journal')),
        handOver: async () => undefined,
        resume: async () => undefined,
        lost: () => void lost.push(partition),
      }),
    });
    await expect(joining).rejects.toThrow('no journal');
    expect(broker.stream('events').members()).toEqual([]);
    expect(lost).toEqual([0]);
    const bus = busOn(broker, { group: 'g' });
    bus.subscribe('Counted', nothing);
    await bus.startConsuming();
    await bus.publish(Array.from({ length: 20 }, (_, n) => numbered(`key-${n}`, 1)));
    await until('all', () => bus.stats.eventsProcessedSuccess === 20);
  });
});

describe('a replay from positions', () => {
  it.each(['abc', '1.5', '-1', ''])('refuses %p, which is none', async (position) => {
    const bus = busOn(new MemoryBroker());
    const replay = bus.replay({ from: { positions: { 0: position } }, handler: () => undefined });
    await expect(replay).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});

describe('a stream that is removed', () => {
  it('is made anew: its consumers are told once, and go on', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker, { group: 'g' });
    bus.subscribe('Counted', () => undefined);
    await bus.startConsuming();
    await bus.publish(numbered('key', 1));
    await until('the first', () => bus.stats.eventsProcessedSuccess === 1);
    const errors: string[] = [];
    const reading = (async () => {
      for await (const status of bus.status()) if (status.type === 'error') errors.push(status.error.message);
    })();
    broker.deleteStream('events');
    await bus.publish(numbered('key', 2));
    await until('the second', () => bus.stats.eventsProcessedSuccess === 2);
    await bus.shutdown();
    await reading;
    expect(errors).toEqual(['The stream events was removed from the memory broker: it is made anew']);
    expect(broker.stream('events').members()).toEqual([]);
  });
});
