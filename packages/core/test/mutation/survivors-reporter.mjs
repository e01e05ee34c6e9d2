/** Names each mutant that no test found as soon as that is known: a run takes long. */
class SurvivorsReporter {
  static inject = [];

  onMutantTested({ status, fileName, location, replacement }) {
    if (status === 'Survived' || status === 'NoCoverage')
      console.log(`${status}: ${fileName}:${location.start.line}:${location.start.column} ${replacement}`);
  }
}

export const strykerPlugins = [{ kind: 'Reporter', name: 'survivors', injectableClass: SurvivorsReporter }];
