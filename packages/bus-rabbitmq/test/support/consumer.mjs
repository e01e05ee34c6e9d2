// A process that consumes, and says so. It ends when it is killed.

import { RabbitMQEventBus } from '@omnibus/bus-rabbitmq';

const bus = new RabbitMQEventBus({ ...JSON.parse(process.env.OPTIONS), urls: process.env.URLS.split(',') });
bus.subscribeToAllEvents(() => void process.stdout.write('handled\n'));
await bus.startConsuming();
process.stdout.write('consuming\n');
