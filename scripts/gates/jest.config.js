import { preset } from '../../jest.preset.js';

// Packing and installing packages is slow, and says so by name while it runs.
export default { ...preset, testTimeout: 300_000 };
