import { type Suite, suite } from '../registry.js';
import { doorCases } from './se-doors.js';
import { nameCases } from './se-names.js';
import { secretCases } from './se-secrets.js';

/** Who is let in, what must not be seen, and what must not be taken for something else. */
export const SECURITY: Suite = suite('SE', [...doorCases, ...secretCases, ...nameCases]);
