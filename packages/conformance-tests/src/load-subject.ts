import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type CliOptions, type ShippedBus, UsageError } from './cli-options.js';
import { kafkaSubject } from './shipped/kafka.js';
import { memorySubject } from './shipped/memory.js';
import { rabbitMQSubject } from './shipped/rabbitmq.js';
import { redisSubject } from './shipped/redis.js';
import type { ConformanceSubject } from './subject.js';

/** The subject that the command line names. */
export async function loadSubject(
  options: Pick<CliOptions, 'bus' | 'modulePath' | 'url'>,
): Promise<ConformanceSubject> {
  if (options.modulePath !== undefined) return subjectOfModule(options.modulePath);
  if (options.bus === 'memory') return memorySubject();
  if (options.bus === 'kafka') return kafkaSubject({ brokers: addresses(options.url ?? '') });
  if (options.bus === 'rabbitmq') return rabbitMQSubject({ url: options.url ?? 'amqp://localhost:5672' });
  if (options.bus === 'redis') return redisSubject({ url: options.url ?? 'redis://localhost:6379' });
  throw new UsageError(notShipped(options.bus));
}

function notShipped(bus: ShippedBus | undefined): string {
  return `This version of the kit cannot make a ${bus} bus by itself: write a module that exports "subject" and use --module`;
}

function addresses(url: string): readonly string[] {
  return url
    .replace(/^[a-z]+:\/\//, '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

interface SubjectModule {
  readonly subject?: ConformanceSubject | (() => ConformanceSubject | Promise<ConformanceSubject>);
  readonly create?: ConformanceSubject['create'];
  readonly default?: SubjectModule;
}

async function subjectOfModule(path: string): Promise<ConformanceSubject> {
  const url = pathToFileURL(isAbsolute(path) ? path : join(process.cwd(), path)).href;
  const loaded = (await import(url)) as SubjectModule;
  const subject = loaded.subject ?? loaded.default?.subject;
  if (subject !== undefined) return typeof subject === 'function' ? subject() : subject;
  const create = loaded.create ?? loaded.default?.create;
  if (create !== undefined) return subjectOfFactory(create, url);
  throw new UsageError(`${path} exports neither "subject" nor "create"`);
}

/** What a factory alone can be trusted with: a bus that competes, keeps order and lives on a broker of its own. */
function subjectOfFactory(create: ConformanceSubject['create'], processModule: string): ConformanceSubject {
  return {
    name: 'module',
    create,
    processModule,
    capabilities: {
      durable: true,
      competing: true,
      history: 'none',
      processes: true,
      sockets: true,
      orderedRetry: true,
      batchAtomic: true,
      retained: false,
      trimming: false,
      topology: false,
      sharing: 'partition',
      cloudEvents: false,
      security: false,
    },
  };
}
