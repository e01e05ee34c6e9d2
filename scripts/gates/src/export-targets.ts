import type { ExportTarget, Manifest } from './repository.js';

/** Every file that the `exports` and `bin` of a package lead to. */
export function exportedFiles(manifest: Manifest): readonly string[] {
  const targets = [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.bin ?? {})];
  return targets.flatMap(filesOf).map((file) => file.replace(/^\.\//, ''));
}

/** The problems of an `exports` entry: each of import and require needs types of its own, before the code. */
export function conditionProblems(subpath: string, target: ExportTarget): readonly string[] {
  if (typeof target === 'string') return [];
  return (['import', 'require'] as const).flatMap((condition) => {
    const branch = target[condition];
    if (branch === undefined || typeof branch === 'string') return [`${subpath}: ${condition} has no types`];
    return Object.keys(branch)[0] === 'types' ? [] : [`${subpath}: types do not come first in ${condition}`];
  });
}

function filesOf(target: ExportTarget): readonly string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf);
}
