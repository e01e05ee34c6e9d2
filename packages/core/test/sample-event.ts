import { createEvent, type DomainEvent, type NewEvent } from '../src/event.js';

/** An event that every codec can carry, with what a test wants to be different. */
export function sampleEvent(changes: Partial<NewEvent> = {}): DomainEvent {
  return createEvent({
    eventType: 'OrderPlaced',
    eventId: '11111111-1111-4111-8111-111111111111',
    aggregateId: '00000000-0000-4000-8000-00000000000a',
    aggregateType: 'Order',
    correlationId: '22222222-2222-4222-8222-222222222222',
    occurredAt: new Date('2026-01-02T03:04:05.678Z'),
    data: { customer: 'Ada' },
    ...changes,
  });
}

/** The error that `act` throws. Fails the test when it throws none. */
export function thrownBy(act: () => unknown): Error & { readonly code?: string } {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
