export type { RabbitMQEventBusOptions } from './options.js';
export { RabbitMQEventBus } from './rabbitmq-event-bus.js';
export type { RabbitMQSecurityOptions } from './security.js';
