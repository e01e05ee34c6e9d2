import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall } from './apt.js';
import { TestBrokerError } from './errors.js';
import type { Report } from './report.js';
import { runCommand } from './run-command.js';

/** A jar in a Maven repository, `group:artifact:version`. */
export type Coordinate = `${string}:${string}:${string}`;

const PROGRESS_INTERVAL_MS = 10_000;

/**
 * Copies jars and all that they need at run time into the folder, with the machine's Maven: its settings
 * decide from where.
 */
export async function copyJars(
  coordinates: readonly Coordinate[],
  folder: string,
  report: Report,
): Promise<void> {
  await requireMaven(report);
  const project = await mkdtemp(join(tmpdir(), 'omnibus-maven-'));
  const begun = Date.now();
  const progress = setInterval(() => {
    report(`still fetching (${Math.round((Date.now() - begun) / 1_000)} s so far)`);
  }, PROGRESS_INTERVAL_MS);
  try {
    await writeFile(join(project, 'pom.xml'), projectFile(coordinates));
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
    const { code, output } = await runCommand('mvn', ['-B', '-q', '-f', project, ...goal]);
    if (code !== 0) {
      const errors = output.split('\n').filter((line) => line.includes('ERROR'));
      throw new TestBrokerError(
        'NO_PROVIDER',
        `Maven could not fetch ${coordinates.join(', ')}. Is its repository reachable with the settings of ` +
          `this machine (~/.m2/settings.xml)? It said:\n${errors.slice(0, 8).join('\n') || output.slice(-1_000)}`,
      );
    }
  } finally {
    clearInterval(progress);
    await rm(project, { recursive: true, force: true });
  }
}

async function requireMaven(report: Report): Promise<void> {
  if (await mavenRuns()) return;
  report('No Maven is here; it fetches the broker');
  const why = await aptInstall(['maven'], report);
  if (why === undefined && (await mavenRuns())) return;
  throw new TestBrokerError(
    'TOOL_MISSING',
    `Maven (mvn) is needed to fetch the broker, and it was not installed (${why ?? 'it does not run'}). ` +
      'Install it (Debian, Ubuntu: maven; macOS: brew install maven), or start Docker.',
  );
}

async function mavenRuns(): Promise<boolean> {
  return (await runCommand('mvn', ['-version'])).code === 0;
}

function projectFile(coordinates: readonly Coordinate[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  // The plugin's version is pinned: Maven would ask for the newest one otherwise, which may need a newer Maven.
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>omnibus</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.join('')}</dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
  </plugin></plugins></build>
</project>
`;
}
