import { conformance } from '../src/conformance.js';
import { memorySubject } from '../src/shipped/memory.js';

conformance({ ...memorySubject(), runner: { describe, it, beforeAll, afterAll } });
