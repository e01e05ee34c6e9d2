import { createHash } from 'node:crypto';
import type { Commands } from './client.js';
import type { Argument } from './entry.js';
import { errorWord } from './errors.js';

/** A Lua script that runs at the server as one step. All keys must lie in the slot of the first. */
export class Script {
  /** Its name at the server. */
  readonly sha: string;

  constructor(private readonly lua: string) {
    this.sha = createHash('sha1').update(lua).digest('hex');
  }

  /** What the script returns; texts are bytes. The script itself travels only when the server does not know it yet. */
  async run(commands: Commands, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await commands.callBuffer('evalsha', this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (errorWord(error) !== 'NOSCRIPT') throw error;
      return commands.callBuffer('eval', this.lua, keys.length, ...keys, ...args);
    }
  }
}
