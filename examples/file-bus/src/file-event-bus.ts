import type { EventBusOptions } from '@omnibus/core';
import * as kit from '@omnibus/core/transport';
import { FileTransport } from './file-transport.js';

/** Options of `FileEventBus`. */
export interface FileEventBusOptions extends EventBusOptions {
  /** Folder of the stream, on a local disk; made when it is not there. */
  readonly folder: string;
}

type Resolved = kit.ResolvedEventBusOptions & { readonly folder: string };
const rules: kit.RulesFor<Resolved> = { ...kit.eventBusRules, folder: kit.required(kit.text()) };

/** An event bus on append-only files in a folder, for the processes of one machine. */
export class FileEventBus extends kit.TransportEventBus {
  constructor(options: FileEventBusOptions) {
    const resolved = kit.resolveWith(rules, options, kit.eventBusChecks);
    super({ options: resolved, transport: new FileTransport(resolved.folder) });
  }
}
