import { Script } from './script.js';
import { LUA_FIELDS } from './scripts.js';

/** What looks at groups from outside, and removes what nobody needs, each as one step at the server. */

/** KEYS: streams. Returns for each its groups: name, and name, pending and idle time of each consumer. */
export const look: Script = new Script(`${LUA_FIELDS}
  local answers = {}
  for i, stream in ipairs(KEYS) do
    answers[i] = {}
    if redis.call('EXISTS', stream) == 1 then
      for at, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        local name, consumers = fields(info).name, {}
        for each, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, name)) do
          local found = fields(consumer)
          consumers[each] = {found.name, found.pending, found.idle}
        end
        answers[i][at] = {name, consumers}
      end
    end
  end
  return answers
`);

const LUA_MEMBERS = `
  local function members(key)
    local time = redis.call('TIME')
    return redis.call('ZRANGEBYSCORE', key, time[1] * 1000 + math.floor(time[2] / 1000), '+inf')
  end`;

/** KEYS: members. Returns who is alive. */
export const alive: Script = new Script(`${LUA_MEMBERS}
  return members(KEYS[1])
`);

/**
 * KEYS: members; then for each partition lease, stream and journal. ARGV: group. Returns 0, and nothing was done, when
 * somebody is a member after all.
 */
export const destroy: Script = new Script(`${LUA_MEMBERS}
  if #members(KEYS[1]) > 0 then return 0 end
  for i = 2, #KEYS, 3 do
    if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
  end
  for i = 2, #KEYS, 3 do
    if redis.call('EXISTS', KEYS[i + 1]) == 1 then redis.call('XGROUP', 'DESTROY', KEYS[i + 1], ARGV[1]) end
    redis.call('DEL', KEYS[i + 2])
  end
  redis.call('DEL', KEYS[1])
  return 1
`);

/** KEYS: streams. ARGV: group, consumer. Returns how many events it has pending; it is removed when there are none. */
export const forget: Script = new Script(`
  local pending = 0
  local known = {}
  for _, stream in ipairs(KEYS) do
    local reply = redis.pcall('XPENDING', stream, ARGV[1], '-', '+', 1000, ARGV[2])
    if not reply.err then
      pending = pending + #reply
      known[#known + 1] = stream
    end
  end
  if pending == 0 then
    for _, stream in ipairs(known) do redis.call('XGROUP', 'DELCONSUMER', stream, ARGV[1], ARGV[2]) end
  end
  return pending
`);
