import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A package that has to be installed beside the kit, and is not. */
export class MissingPackageError extends Error {
  constructor(name: string) {
    super(`The package ${name} is not installed in this project: npm install ${name}`);
    this.name = 'MissingPackageError';
  }
}

/** Loads a package as the project in the working directory has it: buses and clients are never dependencies of the kit. */
export async function importFromProject(name: string): Promise<unknown> {
  const project = createRequire(`${process.cwd()}/`);
  let path: string;
  try {
    path = project.resolve(name);
  } catch {
    throw new MissingPackageError(name);
  }
  try {
    // Works inside test runners that load modules in a context of their own, where `import` would not.
    return project(path) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ESM') throw error;
    return import(pathToFileURL(path).href);
  }
}
