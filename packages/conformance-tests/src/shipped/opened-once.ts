import type { Secured, SecuredBroker } from '../security/secured.js';

/** A secured broker, and how it ends. */
export interface ClosableBroker extends SecuredBroker {
  close(): Promise<void>;
}

/** Opens it when it is first needed, and gives the same one from then on. */
export function openedOnce(open: () => Promise<ClosableBroker>): Secured & { close(): Promise<void> } {
  let broker: Promise<ClosableBroker> | undefined;
  return {
    open() {
      broker ??= open();
      return broker;
    },
    async close() {
      await (await broker)?.close();
    },
  };
}
