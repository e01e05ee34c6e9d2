import { chooseProvider, type Provider, type ProviderName } from '../src/choose-provider.js';
import { TestBrokerError } from '../src/errors.js';

const can = (name: ProviderName): Provider<string> => ({
  name,
  offer: async () => ({ available: true, start: async () => name }),
});
const cannot = (name: ProviderName, reason: string): Provider<string> => ({
  name,
  offer: async () => ({ available: false, reason }),
});

describe('chooseProvider', () => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.OMNIBUS_BROKERS;
    delete process.env.OMNIBUS_BROKERS;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.OMNIBUS_BROKERS;
    else process.env.OMNIBUS_BROKERS = before;
  });

  it('takes the first that can and says why not the others', async () => {
    const providers = [cannot('environment', 'no address'), cannot('docker', 'no engine'), can('native')];
    const choice = await chooseProvider('Kafka', providers);
    expect(choice.name).toBe('native');
    expect(choice.reason).toBe('no address, no engine');
    expect(await choice.start()).toBe('native');
  });

  it('takes only the forced one, and fails when that cannot', async () => {
    process.env.OMNIBUS_BROKERS = 'docker';
    expect((await chooseProvider('Kafka', [can('environment'), can('docker')])).name).toBe('docker');
    const refused = chooseProvider('Kafka', [cannot('docker', 'no engine'), can('native')]);
    await expect(refused).rejects.toMatchObject({
      code: 'NO_PROVIDER',
      message: expect.stringMatching(/no engine.*OMNIBUS_BROKERS/),
    });
  });

  it('rejects a forced one that does not exist', async () => {
    process.env.OMNIBUS_BROKERS = 'podman';
    await expect(chooseProvider('Kafka', [can('native')])).rejects.toThrow(/"podman".*docker or native/);
  });

  it('goes on after a provider that fails, but not when what was asked for cannot be had', async () => {
    const broken: Provider<string> = {
      name: 'docker',
      offer: () => Promise.reject(new Error('broken engine')),
    };
    expect(await chooseProvider('Kafka', [broken, can('native')])).toMatchObject({
      name: 'native',
      reason: 'broken engine',
    });
    const misfit: Provider<string> = {
      name: 'environment',
      offer: () => Promise.reject(new TestBrokerError('INVALID_OPTIONS', 'misfit')),
    };
    await expect(chooseProvider('Kafka', [misfit, can('native')])).rejects.toThrow('misfit');
  });
});
