import ts from 'typescript';

/**
 * The exported symbols of a module that no doc comment describes, as `name (file)`. What is re-exported from
 * another package is that package's to describe.
 */
export function undocumentedExports(entry: string): readonly string[] {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    noEmit: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const moduleSymbol = source && checker.getSymbolAtLocation(source);
  if (moduleSymbol === undefined) throw new Error(`${entry} exports nothing.`);
  return checker
    .getExportsOfModule(moduleSymbol)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter((symbol) => !isForeign(symbol) && symbol.getDocumentationComment(checker).length === 0)
    .map((symbol) => `${symbol.name} (${symbol.declarations?.[0]?.getSourceFile().fileName ?? entry})`);
}

function isForeign(symbol: ts.Symbol): boolean {
  return (
    symbol.declarations?.every((each) => each.getSourceFile().fileName.includes('/node_modules/')) ?? false
  );
}
