/** The program that every child process runs. It learns from its parent what to be, and ends when the parent is gone. */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import type { EventBus } from '@omnibus/core';

import { type ChildSpec, type FromChild, HISTORY_FD, type ToChild } from './child-protocol.js';
import { type ChildMethods, consumerRole, publisherRole } from './child-roles.js';
import type { HistoryEntry } from './history.js';
import type { CreateRequest } from './subject.js';

type Create = (request: CreateRequest) => EventBus | Promise<EventBus>;

let methods: ChildMethods = {};

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

/** Returns when the operating system has the fact: from then on a `SIGKILL` cannot take it back. */
function writeHistory(entry: HistoryEntry): void {
  const line = Buffer.from(`${JSON.stringify(entry)}\n`);
  for (let at = 0; at < line.length; ) {
    try {
      at += writeSync(HISTORY_FD, line, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function loadCreate(modulePath: string): Promise<Create> {
  const url = modulePath.startsWith('file:') ? modulePath : pathToFileURL(modulePath).href;
  const loaded = (await import(url)) as { create?: Create; default?: { create?: Create } };
  const create = loaded.create ?? loaded.default?.create;
  if (typeof create !== 'function') throw new Error(`${modulePath} exports no function named create`);
  return create;
}

async function start(modulePath: string, spec: ChildSpec): Promise<void> {
  try {
    const create = await loadCreate(modulePath);
    const { namespace, group, overrides, asShipped = false } = spec;
    const bus = await create({ namespace, group, overrides, asShipped });
    methods =
      spec.role === 'consumer'
        ? await consumerRole(bus, spec, writeHistory)
        : await publisherRole(bus, spec, writeHistory);
    tell({ kind: 'ready' });
  } catch (error) {
    tell({ kind: 'failed', error: error instanceof Error ? (error.stack ?? String(error)) : String(error) });
  }
}

async function call(id: number, method: string, args: readonly unknown[]): Promise<void> {
  try {
    const body = methods[method] as ((...args: readonly unknown[]) => unknown) | undefined;
    if (!body) throw new Error(`the child has no method ${method}`);
    tell({ kind: 'result', id, value: await body(...args) });
  } catch (error) {
    tell({
      kind: 'result',
      id,
      error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    });
  }
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'start') void start(message.modulePath, message.spec);
  else void call(message.id, message.method, message.args);
});
// A test that was killed leaves no children behind.
process.on('disconnect', () => {
  if (!methods.leaving) process.exit(0);
});
