import type { EventBusStats } from './event-bus.js';
import { LatencyRing } from './latency.js';

/**
 * The bus's counters. Plain fields, because the hot path writes them: `stats.eventsConsumed += n`. Their meaning is that
 * of `EventBusStats`. Instants are milliseconds since the epoch; 0 stands for never, so that no field changes its type.
 */
export class StatsCollector {
  eventsPublished = 0;
  eventsConsumed = 0;
  eventsProcessedSuccess = 0;
  eventsProcessedFailed = 0;
  messagesSentToDlq = 0;
  handlerErrors = 0;
  reconnections = 0;
  rebalanceCount = 0;
  retries = 0;
  redeliveries = 0;
  eventsIgnored = 0;
  eventsDropped = 0;
  eventsReleased = 0;
  publishErrors = 0;
  fencedSettlements = 0;
  inFlight = 0;
  pendingPublishes = 0;
  lastPublishAtMs = 0;
  lastConsumeAtMs = 0;
  lastErrorAtMs = 0;
  connectedAtMs = 0;
  readonly publishLatency: LatencyRing = new LatencyRing();
  readonly handlerLatency: LatencyRing = new LatencyRing();

  /** The counters as they stand: frozen, and always with the same keys in the same order. */
  snapshot(): EventBusStats {
    return Object.freeze({
      eventsPublished: this.eventsPublished,
      eventsConsumed: this.eventsConsumed,
      eventsProcessedSuccess: this.eventsProcessedSuccess,
      eventsProcessedFailed: this.eventsProcessedFailed,
      messagesSentToDlq: this.messagesSentToDlq,
      handlerErrors: this.handlerErrors,
      reconnections: this.reconnections,
      rebalanceCount: this.rebalanceCount,
      retries: this.retries,
      redeliveries: this.redeliveries,
      eventsIgnored: this.eventsIgnored,
      eventsDropped: this.eventsDropped,
      eventsReleased: this.eventsReleased,
      publishErrors: this.publishErrors,
      fencedSettlements: this.fencedSettlements,
      inFlight: this.inFlight,
      pendingPublishes: this.pendingPublishes,
      lastPublishAt: instant(this.lastPublishAtMs),
      lastConsumeAt: instant(this.lastConsumeAtMs),
      lastErrorAt: instant(this.lastErrorAtMs),
      connectedAt: instant(this.connectedAtMs),
      publishLatency: this.publishLatency.snapshot(),
      handlerLatency: this.handlerLatency.snapshot(),
    });
  }
}

function instant(atMs: number): Date | undefined {
  return atMs === 0 ? undefined : new Date(atMs);
}
