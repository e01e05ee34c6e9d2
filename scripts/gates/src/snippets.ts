import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A block of TypeScript in a document. */
export interface Snippet {
  /** Of the document, from the repository's top. */
  readonly document: string;
  /** Of the block's first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  /** The block is a program: the fence says `ts run`. */
  readonly runnable: boolean;
}

/** The blocks fenced as `ts`, `ts run`, `typescript` or `typescript run`. */
export function snippetsOf(document: string, markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(/^```(?:ts|typescript)(?<info>[^\n]*)\n(?<code>.*?)^```\s*$/gms)].map(
    (match) => ({
      document,
      line: markdown.slice(0, match.index).split('\n').length + 1,
      code: match.groups?.code ?? '',
      runnable: (match.groups?.info ?? '').trim() === 'run',
    }),
  );
}

/** A snippet as a file that imports resolve from. */
export interface WrittenSnippet extends Snippet {
  readonly file: string;
}

/** Writes each snippet as a module of its own into an emptied folder. */
export function writeSnippets(snippets: readonly Snippet[], folder: string): readonly WrittenSnippet[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return snippets.map((snippet) => {
    const file = join(folder, `${snippet.document.replace(/[^A-Za-z0-9]+/g, '-')}-${snippet.line}.mts`);
    // A block without an import would be a script, whose names are global.
    writeFileSync(file, `${snippet.code}\nexport {};\n`);
    return { ...snippet, file };
  });
}

/** Checks types as a strict user's compiler would; problems are named by document and line. */
export function compileProblems(snippets: readonly WrittenSnippet[]): readonly string[] {
  const program = ts.createProgram(
    snippets.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      noEmit: true,
    },
  );
  const byFile = new Map(snippets.map((snippet) => [snippet.file, snippet]));
  return ts.getPreEmitDiagnostics(program).map((problem) => {
    const text = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
    const snippet = byFile.get(problem.file?.fileName ?? '');
    if (snippet === undefined || problem.file === undefined) return text;
    const { line } = problem.file.getLineAndCharacterOfPosition(problem.start ?? 0);
    return `${snippet.document}:${snippet.line + line}: ${text}`;
  });
}

/** Turns a snippet into a file that Node runs, beside the written one. */
export function transpile(snippet: WrittenSnippet): string {
  const { outputText } = ts.transpileModule(snippet.code, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  const file = snippet.file.replace(/\.mts$/, '.mjs');
  writeFileSync(file, outputText);
  return file;
}
