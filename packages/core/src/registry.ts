import { ConfigurationError } from './errors.js';
import type { DomainEvent, EventDefinition } from './event.js';
import type { EventBus, EventHandler, EventSubscriber, EventTypeOf, HandlerContext } from './event-bus.js';

/** One registration of one handler. */
export interface Subscription {
  /** For dead letters and spans. */
  readonly name: string;
  readonly handler: EventHandler;
  /** False once unsubscribed: a delivery that is under way skips it. */
  active: boolean;
  invoke(event: DomainEvent, context: HandlerContext): void | Promise<void>;
}

type SubscriptionApi = Pick<
  EventBus,
  | 'subscribe'
  | 'unsubscribe'
  | 'subscribeAll'
  | 'unsubscribeAll'
  | 'subscribeToAllEvents'
  | 'unsubscribeFromAllEvents'
>;

/** Who wants which type. Lookups are cached per type; the cache is dropped at every change. */
export class Registry implements SubscriptionApi {
  private readonly byType = new Map<string, Subscription[]>();
  private readonly wildcards: Subscription[] = [];
  private readonly definitions = new Map<string, EventDefinition[]>();
  private readonly cache = new Map<string, readonly Subscription[]>();
  /** The wildcards as they are given out; undefined after a change. */
  private everyone: readonly Subscription[] | undefined;

  constructor(definitions: readonly EventDefinition[] = []) {
    for (const definition of definitions) this.define(definition);
  }

  subscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): void {
    if (typeof type !== 'string') this.define(type as unknown as EventDefinition);
    this.add(typeName(type as EventTypeOf<DomainEvent>), handler as EventHandler);
  }

  unsubscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): boolean {
    return this.removeFrom(
      this.byType.get(typeName(type as EventTypeOf<DomainEvent>)),
      handler as EventHandler,
    );
  }

  subscribeAll(subscriber: EventSubscriber): void {
    const types = [...subscriber.subscribedTo()];
    types.forEach(typeName);
    for (const type of types) this.subscribe(type, subscriber);
  }

  unsubscribeAll(subscriber: EventSubscriber): number {
    let removed = 0;
    for (const list of this.byType.values()) while (this.removeFrom(list, subscriber)) removed += 1;
    return removed;
  }

  subscribeToAllEvents(handler: EventHandler): void {
    this.wildcards.push(subscriptionOf(handler));
    this.changed();
  }

  unsubscribeFromAllEvents(handler: EventHandler): boolean {
    return this.removeFrom(this.wildcards, handler);
  }

  /** Those of the type first, then the wildcards, each in order of registration. */
  handlersFor(eventType: string): readonly Subscription[] {
    const cached = this.cache.get(eventType);
    if (cached) return cached;
    this.everyone ??= [...this.wildcards];
    const typed = this.byType.get(eventType);
    // Types come from the wire: what nobody asked for must not fill the cache.
    if (!typed || typed.length === 0) return this.everyone;
    const handlers = [...typed, ...this.everyone];
    this.cache.set(eventType, handlers);
    return handlers;
  }

  /** Whether somebody named this type: by a handler or by a definition. */
  isKnown(eventType: string): boolean {
    return this.definitions.has(eventType) || (this.byType.get(eventType)?.length ?? 0) > 0;
  }

  /** The definition of this version, else the newest of the type: schemas are expected to evolve compatibly. */
  definitionFor(eventType: string, eventVersion: number): EventDefinition | undefined {
    const versions = this.definitions.get(eventType);
    if (!versions) return undefined;
    return versions.find((definition) => definition.eventVersion === eventVersion) ?? versions.at(-1);
  }

  private define(definition: EventDefinition): void {
    const versions = this.definitions.get(definition.eventType) ?? [];
    const others = versions.filter((known) => known.eventVersion !== definition.eventVersion);
    this.definitions.set(
      definition.eventType,
      [...others, definition].sort((a, b) => a.eventVersion - b.eventVersion),
    );
  }

  private add(type: string, handler: EventHandler): void {
    const subscription = subscriptionOf(handler);
    const list = this.byType.get(type);
    if (list) list.push(subscription);
    else this.byType.set(type, [subscription]);
    this.changed();
  }

  private removeFrom(list: Subscription[] | undefined, handler: EventHandler): boolean {
    const at = list?.findIndex((subscription) => subscription.handler === handler) ?? -1;
    if (!list || at < 0) return false;
    for (const removed of list.splice(at, 1)) removed.active = false;
    this.changed();
    return true;
  }

  private changed(): void {
    this.cache.clear();
    this.everyone = undefined;
  }
}

/** The name of a type given by name or by definition. */
export function typeName(type: EventTypeOf<DomainEvent>): string {
  const name = typeof type === 'string' ? type : (type as EventDefinition | undefined)?.eventType;
  if (typeof name === 'string' && name.length > 0) return name;
  throw new ConfigurationError([
    { path: 'type', message: 'must be the name of an event type or a definition made with defineEvent' },
  ]);
}

/** What a handler is called in dead letters and spans. */
export function handlerName(handler: EventHandler): string {
  const own: unknown = handler.name;
  if (typeof own === 'string' && own !== '') return own;
  const name = typeof handler === 'object' ? className(handler) : undefined;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : 'anonymous';
}

function className(object: object): unknown {
  return (object.constructor as { readonly name?: unknown } | undefined)?.name;
}

function subscriptionOf(handler: EventHandler): Subscription {
  if (typeof handler === 'function')
    return { name: handlerName(handler), handler, active: true, invoke: handler };
  if (typeof handler === 'object' && handler !== null && typeof handler.handle === 'function') {
    const invoke: Subscription['invoke'] = (event, context) => handler.handle(event, context);
    return { name: handlerName(handler), handler, active: true, invoke };
  }
  throw new ConfigurationError([
    { path: 'handler', message: 'must be a function or an object with a handle method' },
  ]);
}
