import type { Interrupts } from './command-line.js';
import { CaseContext } from './context.js';
import { createNamespaces } from './namespace.js';
import type { ConformanceSubject } from './subject.js';

/** Works with a subject as one case of the kit does, outside a run. Cleans up behind it, also when it is interrupted. */
export async function inSingleCase<T>(
  subject: ConformanceSubject,
  id: string,
  { onInterrupt }: Interrupts,
  work: (t: CaseContext) => Promise<T>,
): Promise<T> {
  const findings = { unhandledRejections: [], executed: new Set<never>(), complete: false };
  const t = new CaseContext(id, subject, createNamespaces(), findings);
  const end = async (): Promise<void> => {
    await t.cleanUp();
    await subject.teardown?.();
  };
  onInterrupt(end);
  try {
    await subject.setup?.();
    return await work(t);
  } finally {
    await end();
  }
}
