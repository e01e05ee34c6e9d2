import { type DomainEvent, type EventBus, NonRetryableError } from '@omnibus/core';

/** What billing knows: bookings by the id of their event, and the balance of each account. */
export interface Ledger {
  readonly bookings: Map<string, string>;
  readonly balances: Map<string, number>;
}

/** Books what happens to accounts. Knows the contract of the bus, and no broker. */
export async function startBilling(bus: EventBus): Promise<Ledger> {
  const ledger: Ledger = { bookings: new Map(), balances: new Map() };
  bus.subscribeToAllEvents((event, { attempt }) => {
    if (event.data.cents === undefined) throw new NonRetryableError('nothing to book');
    // The store is down at first. What comes later for the same account waits; other accounts go on.
    if (event.aggregateVersion === 1 && attempt === 1) throw new Error('the store did not answer');
    book(event, ledger);
  });
  await bus.startConsuming();
  return ledger;
}

/** An event may come twice, on every broker: the ledger books it once. */
function book({ eventId, aggregateId, aggregateVersion, data }: DomainEvent, ledger: Ledger): void {
  if (ledger.bookings.has(eventId)) return;
  ledger.bookings.set(eventId, `${aggregateId} #${aggregateVersion}`);
  ledger.balances.set(aggregateId, (ledger.balances.get(aggregateId) ?? 0) + Number(data.cents));
}
