import { join } from 'node:path';
import { aptInstall } from './apt.js';
import { TestBrokerError } from './errors.js';
import type { Report } from './report.js';
import { runCommand } from './run-command.js';

/** A Java that was found and is new enough. */
export interface Java {
  readonly command: string;
  readonly major: number;
  /** What tells one build from another, such as `17.0.15+6-Debian-1deb12u1`. */
  readonly build: string;
}

/**
 * Finds a Java of at least that version, in `JAVA_HOME` first and then in the path; installs one where that
 * is possible. `TOOL_MISSING` names what to install otherwise.
 */
export async function requireJava(minimumMajor: number, report: Report): Promise<Java> {
  const found = await findJava();
  if (found !== undefined && found.major >= minimumMajor) return found;
  const situation = found === undefined ? 'No Java is here' : `Java is ${found.build}`;
  report(`${situation}, Kafka needs ${minimumMajor} or newer`);
  const why = await aptInstall(['openjdk-17-jre-headless', 'default-jre-headless'], report);
  const installed = why === undefined ? await newestInstalled(minimumMajor) : undefined;
  if (installed !== undefined) return installed;
  throw new TestBrokerError(
    'TOOL_MISSING',
    `${situation}, Kafka needs Java ${minimumMajor} or newer, and it was not installed ` +
      `(${why ?? 'what apt-get offers is too old'}). Install a Java runtime (Debian, Ubuntu: ` +
      'openjdk-17-jre-headless), or set JAVA_HOME to one.',
  );
}

async function findJava(): Promise<Java | undefined> {
  const home = process.env.JAVA_HOME;
  const atHome = home ? await inspect(join(home, 'bin', 'java')) : undefined;
  return atHome ?? inspect('java');
}

/** After an installation: an older Java that came first before may still come first. */
async function newestInstalled(minimumMajor: number): Promise<Java | undefined> {
  for (const command of ['java', `/usr/lib/jvm/java-17-openjdk-${debianArchitecture()}/bin/java`]) {
    const java = await inspect(command);
    if (java !== undefined && java.major >= minimumMajor) return java;
  }
  return undefined;
}

function debianArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

async function inspect(command: string): Promise<Java | undefined> {
  const { code, output } = await runCommand(command, ['-version']);
  if (code !== 0) return undefined;
  const version = /version "(\d+)(?:\.(\d+))?[^"]*"/.exec(output);
  if (version === null) return undefined;
  const first = Number(version[1]);
  const build = /build ([^,)]+)/.exec(output)?.[1] ?? version[0];
  return { command, major: first === 1 ? Number(version[2]) : first, build };
}
