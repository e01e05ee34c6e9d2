import { type Suite, suite } from '../registry.js';
import { nameCases } from './se-names.js';
import { secretCases } from './se-secrets.js';

/** What must not be seen, and what must not be taken for something else. */
export const SECURITY: Suite = suite('SE', [...secretCases, ...nameCases]);
