import ts from 'typescript';
import { read, repositoryFiles } from './repository.js';

/** A regular expression in the sources. */
export interface RegularExpression {
  readonly file: string;
  readonly source: string;
  readonly flags: string;
}

const SOURCES = /^packages\/(core|bus-[^/]+)\/src\/.*\.ts$/;

/** Every regular expression of core and the adapters: those are what untrusted text meets. */
export function regularExpressions(): readonly RegularExpression[] {
  return repositoryFiles()
    .filter((file) => SOURCES.test(file))
    .flatMap(expressionsIn);
}

function expressionsIn(file: string): readonly RegularExpression[] {
  const found: RegularExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.RegularExpressionLiteral) found.push(expressionOf(file, node));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  return found;
}

function expressionOf(file: string, node: ts.Node): RegularExpression {
  const text = node.getText();
  const end = text.lastIndexOf('/');
  return { file, source: text.slice(1, end), flags: text.slice(end + 1) };
}
