/** Prose is not behaviour: tests match the code of an error and what its message names, not each of its sentences. */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'messages',
    value: {
      shouldIgnore(path) {
        const isProse = path.isTemplateLiteral() || (path.isStringLiteral() && path.node.value.includes(' '));
        return isProse && isInsideNewError(path) ? 'the message of an error' : undefined;
      },
    },
  },
];

function isInsideNewError(path) {
  return (
    path.findParent((parent) => parent.isNewExpression() && /Error$/.test(parent.node.callee.name)) !== null
  );
}
