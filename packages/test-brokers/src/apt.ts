import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from './report.js';
import { runCommand } from './run-command.js';

// Another process of the same tests may be installing something, too.
const WAIT_FOR_OTHERS: readonly string[] = ['-o', 'DPkg::Lock::Timeout=300'];

let indexUpdated = false;

/** Why packages cannot be installed here, or undefined when they can: as root on Debian or Ubuntu. */
export async function aptUnavailable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may install packages';
  const found = await access('/usr/bin/apt-get').then(
    () => true,
    () => false,
  );
  return found ? undefined : 'apt-get is not there';
}

/**
 * Installs the first of the packages that can be installed, and says so in a line. Returns why it could
 * not, or undefined when it did.
 */
export async function aptInstall(packages: readonly string[], report: Report): Promise<string | undefined> {
  const unavailable = await aptUnavailable();
  if (unavailable !== undefined) return unavailable;
  if (!indexUpdated) {
    report('running apt-get update');
    await aptGet(['update', '-q']);
    indexUpdated = true;
  }
  let why: string | undefined = '';
  for (const name of packages) {
    why = await install(name, [], report);
    if (why === undefined) return undefined;
  }
  return why;
}

/**
 * Installs a package from the backports of this machine's release of Debian, and says so in a line. The
 * sources of the machine stay as they are. Returns why it could not, or undefined when it did.
 */
export async function aptInstallBackport(name: string, report: Report): Promise<string | undefined> {
  const unavailable = await aptUnavailable();
  if (unavailable !== undefined) return unavailable;
  const release = await debianRelease();
  if (release === undefined) return 'this is not Debian, which has backports';
  const folder = await mkdtemp(join(tmpdir(), 'omnibus-apt-'));
  try {
    const lists = join(folder, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    const { mirror, codename } = release;
    const suites = [codename, `${codename}-backports`];
    const sources = join(folder, 'sources.list');
    await writeFile(sources, suites.map((suite) => `deb ${mirror} ${suite} main\n`).join(''));
    const settings = { 'Etc::sourcelist': sources, 'Etc::sourceparts': '-', 'State::lists': lists };
    const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `Dir::${key}=${value}`]);
    await aptGet(['update', '-q', ...options]);
    return await install(name, [...options, '-t', `${codename}-backports`], report);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function install(
  name: string,
  options: readonly string[],
  report: Report,
): Promise<string | undefined> {
  const from = options.length === 0 ? '' : " from Debian's backports";
  report(`installing ${name}${from} with apt-get (takes a minute)`);
  const args = ['install', '-y', '-q', '--no-install-recommends', ...options, name];
  const { code, output } = await aptGet(args);
  if (code === 0) return undefined;
  return `apt-get install ${name} failed: ${output.trim().split('\n').slice(-3).join(' ')}`;
}

/** The release of Debian that runs here, and where the machine takes its packages from. */
async function debianRelease(): Promise<{ mirror: string; codename: string } | undefined> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(system)?.[1];
  const format = ['--format', '$(CODENAME) $(REPO_URI)', 'Created-By: Packages', 'Origin: Debian'];
  const { output } = await runCommand('apt-get', ['indextargets', ...format]);
  const main = output.split('\n').map((line) => line.split(' '));
  const mirror = main.find(([suite]) => suite === codename)?.[1];
  return codename === undefined || mirror === undefined ? undefined : { mirror, codename };
}

function aptGet(args: readonly string[]): ReturnType<typeof runCommand> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return runCommand('apt-get', [...WAIT_FOR_OTHERS, ...args], { env });
}
