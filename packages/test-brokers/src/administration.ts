import { TestBrokerError } from './errors.js';

/** A broker whose tools can be run, as its documentation tells administrators to. */
export interface Administrable {
  /**
   * Runs one of the broker's own tools and resolves to what it writes. The words are those of the command line
   * without address and login, which are added: `['kafka-acls', '--list']`, `['rabbitmqctl', 'list_users']`,
   * `['redis-cli', 'ACL', 'LIST']`.
   *
   * Fails with `COMMAND_FAILED` and what the tool wrote, `INVALID_OPTIONS` when there is no such tool, and
   * `FAULT_UNAVAILABLE` where tools cannot be run.
   */
  administer(command: readonly string[]): Promise<string>;
}

/** Takes a command line apart. `INVALID_OPTIONS` names the tools when it is none of them. */
export function toolOf(command: readonly string[], tools: readonly string[]): [tool: string, args: string[]] {
  const [tool = '', ...args] = command;
  if (tools.includes(tool)) return [tool, args];
  throw new TestBrokerError('INVALID_OPTIONS', `"${tool}" cannot be run here; ${tools.join(', ')} can.`);
}

/** What is thrown when nobody is there to be administered. */
export function noNodeRuns(product: string): TestBrokerError {
  return new TestBrokerError('FAULT_UNAVAILABLE', `No node of this ${product} runs; \`start\` changes that.`);
}

/** What is thrown when a tool fails. Its arguments may hold passwords, so they are not shown. */
export function commandFailed(tool: string, output: string, options?: ErrorOptions): TestBrokerError {
  return new TestBrokerError('COMMAND_FAILED', `${tool} failed: ${output.trim()}`, options);
}
