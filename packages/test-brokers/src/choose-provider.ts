import { messageOf, TestBrokerError } from './errors.js';

/** How a broker is run: found at an address, in a container, or as processes of this machine. */
export type ProviderName = 'environment' | 'docker' | 'native';

/** A provider's answer: it can (and how to start), or why it cannot. */
export type Offer<T> =
  | { readonly available: true; readonly reason?: string; start(): Promise<T> }
  | { readonly available: false; readonly reason: string };

/** One way of running a broker. */
export interface Provider<T> {
  readonly name: ProviderName;
  offer(): Promise<Offer<T>>;
}

/** The provider that was taken, and why. */
export interface Choice<T> {
  readonly name: ProviderName;
  readonly reason: string;
  start(): Promise<T>;
}

const FORCEABLE: readonly ProviderName[] = ['docker', 'native'];

/**
 * Takes the first provider that can, in the order given, and says why those before it cannot.
 * `OMNIBUS_BROKERS=docker|native` leaves only that one.
 */
export async function chooseProvider<T>(
  product: string,
  providers: readonly Provider<T>[],
): Promise<Choice<T>> {
  const forced = forcedProvider();
  const open = providers.filter(({ name }) => forced === undefined || name === forced);
  const declined: string[] = [];
  for (const { name, offer } of open) {
    const answer = await attempt(offer);
    if (answer.available) {
      const reason =
        forced === undefined ? reasonFor(answer.reason, declined) : `OMNIBUS_BROKERS is ${forced}`;
      return { name, reason, start: answer.start };
    }
    declined.push(answer.reason);
  }
  throw new TestBrokerError(
    'NO_PROVIDER',
    `${product} cannot be run here: ${declined.join('; ')}.` +
      (forced === undefined ? '' : ' Unset OMNIBUS_BROKERS to let the other providers be tried.'),
  );
}

function reasonFor(own: string | undefined, declined: readonly string[]): string {
  return [...declined, ...(own === undefined ? [] : [own])].join(', ');
}

async function attempt<T>(offer: () => Promise<Offer<T>>): Promise<Offer<T>> {
  try {
    return await offer();
  } catch (error) {
    // What was asked for cannot be had from anybody; going on would hide it.
    if (error instanceof TestBrokerError && error.code === 'INVALID_OPTIONS') throw error;
    return { available: false, reason: messageOf(error) };
  }
}

function forcedProvider(): ProviderName | undefined {
  const value = process.env.OMNIBUS_BROKERS;
  if (value === undefined || value === '') return undefined;
  const forced = FORCEABLE.find((name) => name === value);
  if (forced !== undefined) return forced;
  throw new TestBrokerError(
    'INVALID_OPTIONS',
    `OMNIBUS_BROKERS is "${value}"; it can be ${FORCEABLE.join(' or ')}.`,
  );
}
