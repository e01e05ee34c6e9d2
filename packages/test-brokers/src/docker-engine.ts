import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ContainerRuntimeClient } from 'testcontainers';
import { messageOf } from './errors.js';
import type { Report } from './report.js';

/** A Docker engine that answers and has the image, or why there is none. */
export type DockerOffer =
  | { readonly available: true; readonly client: ContainerRuntimeClient }
  | { readonly available: false; readonly reason: string };

const PULL_TIMEOUT_MS = 300_000;
const PULL_PROGRESS_MS = 10_000;

/** Looks for a Docker engine, and gets the image into it. Says so in a line when that is what fails. */
export async function dockerWithImage(image: string, report: Report): Promise<DockerOffer> {
  if (!(await mayHaveEngine())) return { available: false, reason: 'no Docker engine is here' };
  // Loaded only now: it takes a second, which a machine without Docker need not spend.
  const { getContainerRuntimeClient, getReaper, ImageName } = await import('testcontainers');
  let client: ContainerRuntimeClient;
  try {
    client = await getContainerRuntimeClient();
  } catch {
    return { available: false, reason: 'no Docker engine answers' };
  }
  let missing = image;
  try {
    const name = ImageName.fromString(image);
    if (!(await client.image.exists(name))) {
      report(`pulling the image ${image} (a few hundred MB, kept for the next time)`);
      await patiently(client.image.pull(name), image, report);
    }
    // The reaper is a container too, which removes the others when this process is gone. Its image is pulled here.
    missing = 'testcontainers/ryuk';
    await patiently(getReaper(client), missing, report);
  } catch (error) {
    const reason = `Docker answers, but has no image ${missing} (${messageOf(error)})`;
    report(reason);
    return { available: false, reason };
  }
  return { available: true, client };
}

/** Whether looking further is worth it: an address is given, or a socket lies at one of the usual places. */
async function mayHaveEngine(): Promise<boolean> {
  if (process.env.DOCKER_HOST || process.platform === 'win32') return true;
  const places = [
    '/var/run/docker.sock',
    join(process.env.XDG_RUNTIME_DIR ?? '/nowhere', 'docker.sock'),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.docker', 'desktop', 'docker.sock'),
    join(homedir(), '.testcontainers.properties'),
  ];
  const found = await Promise.all(
    places.map((place) =>
      access(place).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

async function patiently<T>(work: Promise<T>, what: string, report: Report): Promise<T> {
  const progress = setInterval(() => report(`still pulling ${what}`), PULL_PROGRESS_MS);
  let giveUp: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        giveUp = setTimeout(
          () => reject(new Error(`not pulled after ${PULL_TIMEOUT_MS} ms`)),
          PULL_TIMEOUT_MS,
        );
      }),
    ]);
  } finally {
    clearInterval(progress);
    clearTimeout(giveUp);
  }
}
