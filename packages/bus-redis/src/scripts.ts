import { Script } from './script.js';

/**
 * Everything that must be one step at the server. What acts for an owner of partitions begins by comparing the lease
 * with the owner's token: a command that was delayed, by a frozen process or a slow network, finds another token there
 * and does nothing. No clock of a client is asked.
 */

/** Whether a position lies before another. */
const LUA_BEFORE = `
  local function before(a, b)
    local aTime, aSequence = string.match(a, '(%d+)-(%d+)')
    local bTime, bSequence = string.match(b, '(%d+)-(%d+)')
    aTime, bTime = tonumber(aTime), tonumber(bTime)
    if aTime ~= bTime then return aTime < bTime end
    return tonumber(aSequence) < tonumber(bSequence)
  end`;

/** What `XINFO` lists as names and values. */
export const LUA_FIELDS = `
  local function fields(list)
    local found = {}
    for i = 1, #list, 2 do found[list[i]] = list[i + 1] end
    return found
  end`;

/** Hands everything that one consumer of a group has pending to another. Returns how many of it were trimmed away. */
const LUA_HAND_PENDING = `
  local function handPending(stream, group, from, to)
    local lost = 0
    while true do
      local page = redis.call('XPENDING', stream, group, '-', '+', 1000, from)
      if #page == 0 then break end
      local claim = {'XCLAIM', stream, group, to, 0}
      for _, entry in ipairs(page) do claim[#claim + 1] = entry[1] end
      claim[#claim + 1] = 'JUSTID'
      lost = lost + #page - #redis.call(unpack(claim))
    end
    redis.call('XGROUP', 'DELCONSUMER', stream, group, from)
    return lost
  end`;

/**
 * Lets the owner of a lease read, and nobody who owned it before. A read asks for the pass as well: without it the server
 * refuses the read as a whole. The name of the pass that counts outlives it, so that whoever comes next finds it even when
 * the lease is gone.
 */
const LUA_ADMIT = `
  local function admit(admitted, pass, group, leaseMs)
    redis.call('DEL', pass, redis.call('GET', admitted) or pass)
    redis.call('XGROUP', 'CREATE', pass, group, '$', 'MKSTREAM')
    redis.call('PEXPIRE', pass, leaseMs)
    redis.call('SET', admitted, pass, 'PX', leaseMs * 2)
  end`;

/**
 * Appends records, each once: numbers up to the last one of this publisher are there already. Returns how many records
 * are stored, and what kept the next one from it. Behind a refused record nothing is appended.
 *
 * KEYS: stream, number of the publisher's last record. ARGV: how long to remember that number in ms; then the
 * records, packed: of each its number and its fields.
 */
export const append: Script = new Script(`
  local last = tonumber(redis.call('GET', KEYS[2]) or '0')
  local before, stored, refused = last, 0, nil
  for _, record in ipairs(cmsgpack.unpack(ARGV[2])) do
    local number = tonumber(record[1])
    if number > last then
      local reply = redis.pcall('XADD', KEYS[1], '*', unpack(record, 2))
      if type(reply) == 'table' and reply.err then
        if last == before then return reply end
        refused = reply.err
        break
      end
      last = number
    end
    stored = stored + 1
  end
  redis.call('SET', KEYS[2], string.format('%d', last), 'PX', ARGV[1])
  return {stored, refused or false}
`);

/**
 * Says that a member lives, prolongs its leases, and tells who else there is and who owns what.
 *
 * KEYS: members, then for each partition its lease, the member's pass and the name of the pass that counts. ARGV: member,
 * lease in ms, then for each partition the member's token, empty where it has none. Returns the members, and the holder of
 * each partition.
 */
export const beat: Script = new Script(`
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
  local holders = {}
  for i = 1, (#KEYS - 1) / 3 do
    local lease, pass, admitted = KEYS[3 * i - 1], KEYS[3 * i], KEYS[3 * i + 1]
    local holder, token = redis.call('GET', lease), ARGV[i + 2]
    if holder and holder == token then
      redis.call('PEXPIRE', lease, ARGV[2])
      redis.call('PEXPIRE', pass, ARGV[2])
      redis.call('PEXPIRE', admitted, ARGV[2] * 2)
    elseif token ~= '' then
      redis.call('DEL', pass)
    end
    holders[i] = holder or ''
  end
  return {redis.call('ZRANGE', KEYS[1], 0, -1), holders}
`);

/**
 * Gives a lease another token, so that commands that are still on their way under the old one do nothing.
 *
 * KEYS: lease, next pass, name of the pass that counts. ARGV: token, next token, lease in ms, group. Returns 0 when it is
 * owned no more.
 */
export const reissue: Script = new Script(`${LUA_ADMIT}
  local holder = redis.call('GET', KEYS[1])
  if holder ~= ARGV[1] and holder ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  admit(KEYS[3], KEYS[2], ARGV[4], ARGV[3])
  return 1
`);

/**
 * Takes a free partition, and everything that former owners left pending with it, before anybody can read on.
 *
 * A group that is gone is made anew. It begins behind `resume`, up to where it is known to be settled, if the stream is
 * still the one that this position belongs to.
 *
 * KEYS: lease, stream, pass, name of the pass that counts. ARGV: token, lease in ms, group, consumer, resume, and a token
 * that may be replaced: of this member, who never heard that it got it. Returns false when the partition is not free; else
 * how many pending entries were trimmed away, and 1 when the group was made.
 */
export const take: Script = new Script(`${LUA_BEFORE}${LUA_HAND_PENDING}${LUA_ADMIT}
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[6] then return false end
  local start = '0-0'
  if redis.call('EXISTS', KEYS[2]) == 1 then
    local stream = redis.call('XINFO', 'STREAM', KEYS[2])
    for i = 1, #stream, 2 do
      if stream[i] == 'last-generated-id' and not before(stream[i + 1], ARGV[5]) then start = ARGV[5] end
    end
  end
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[3], start, 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  admit(KEYS[4], KEYS[3], ARGV[3], ARGV[2])
  local lost = 0
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], ARGV[3])) do
    if info[2] ~= ARGV[4] then lost = lost + handPending(KEYS[2], ARGV[3], info[2], ARGV[4]) end
  end
  return {lost, made.err and 0 or 1}
`);

/**
 * Where a group stands in streams.
 *
 * KEYS: streams. ARGV: group. Returns for each stream the last position that the group was given, false without the group.
 */
export const stand: Script = new Script(`${LUA_FIELDS}
  local answers = {}
  for i, stream in ipairs(KEYS) do
    answers[i] = false
    local groups = redis.pcall('XINFO', 'GROUPS', stream)
    for _, info in ipairs(groups.err and {} or groups) do
      local group = fields(info)
      if group.name == ARGV[1] then answers[i] = group['last-delivered-id'] end
    end
  end
  return answers
`);

/**
 * Makes durable what owners settled, and what they wrote down.
 *
 * KEYS: for each partition its lease, its stream and its journal. ARGV: group; then for each partition token, journal or
 * an empty text to leave it, and the positions, with spaces between them. Returns for each partition 1, or 0 when it is
 * owned no more and nothing was done.
 */
export const settle: Script = new Script(`
  local function acknowledge(stream, positions)
    local command = {'XACK', stream, ARGV[1]}
    for position in string.gmatch(positions, '%S+') do
      command[#command + 1] = position
      if #command == 1000 then
        redis.call(unpack(command))
        command = {'XACK', stream, ARGV[1]}
      end
    end
    if #command > 3 then redis.call(unpack(command)) end
  end
  local answers = {}
  for i = 1, #KEYS / 3 do
    local lease, stream, journal = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]
    local token, text, positions = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
    answers[i] = 0
    if redis.call('GET', lease) == token then
      if text ~= '' then redis.call('SET', journal, text) end
      acknowledge(stream, positions)
      answers[i] = 1
    end
  end
  return answers
`);

/**
 * Writes a dead letter and settles its source in one step, once.
 *
 * KEYS: lease, stream, dead letters. ARGV: token, group, position, fields. Returns -1 when the partition is owned no more,
 * 0 when the source is settled already, 1 when it was done.
 */
export const deadLetter: Script = new Script(`
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
  if #redis.call('XPENDING', KEYS[2], ARGV[2], ARGV[3], ARGV[3], 1) == 0 then return 0 end
  redis.call('XADD', KEYS[3], '*', unpack(ARGV, 4))
  redis.call('XACK', KEYS[2], ARGV[2], ARGV[3])
  return 1
`);

/**
 * Gives a partition up. What is pending waits under a name of nobody, so that consumers who have left do not pile up.
 *
 * KEYS: lease, stream, pass, name of the pass that counts. ARGV: token, group, consumer. Returns how many pending entries
 * were trimmed away, -1 when the partition was owned no more.
 */
export const release: Script = new Script(`${LUA_HAND_PENDING}
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
  local groups = redis.pcall('XINFO', 'CONSUMERS', KEYS[2], ARGV[2])
  if groups.err then return 0 end
  return handPending(KEYS[2], ARGV[2], ARGV[3], 'released')
`);

/**
 * So many entries are counted, whatever the server says is left. Behind a start from a snapshot and what was written down
 * since, and so behind a fail-over, its own number is wrong until the group has read everything once or for good: reads are
 * written down as `XCLAIM`, which counts nothing.
 */
const COUNTED = 100;

/**
 * Where streams begin and end, and where a group stands in them.
 *
 * KEYS: streams. ARGV: group, or an empty text. Returns for each stream: first and last position, entries in it, entries
 * ever added, and of the group (-1 without it) its last position, how many are pending, how many are still to be
 * delivered (-1 when the server does not know).
 */
export const inspect: Script = new Script(`${LUA_FIELDS}${LUA_BEFORE}
  local function behind(stream, info, stands, told)
    if not before(stands, info['last-generated-id']) then return 0 end
    if not told then return -1 end
    local few = #redis.call('XRANGE', stream, '(' .. stands, '+', 'COUNT', ${COUNTED + 1})
    return few <= ${COUNTED} and few or math.min(math.max(told, few), info.length)
  end
  local answers = {}
  for i, stream in ipairs(KEYS) do
    if redis.call('EXISTS', stream) == 0 then
      answers[i] = {'0-0', '0-0', 0, 0, '', 0, -1}
    else
      local info = fields(redis.call('XINFO', 'STREAM', stream))
      local first = info['first-entry'] and info['first-entry'][1] or info['last-generated-id']
      local answer = {first, info['last-generated-id'], info.length, info['entries-added'], '', 0, -1}
      for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        local group = fields(each)
        if group.name == ARGV[1] then
          answer[5], answer[6] = group['last-delivered-id'], group.pending
          answer[7] = behind(stream, info, group['last-delivered-id'], group.lag)
        end
      end
      answers[i] = answer
    end
  end
  return answers
`);

/**
 * Gives a dead letter back: it leaves the dead letters and enters the stream in one step.
 *
 * KEYS: dead letters, stream. ARGV: position, fields. Returns 0 when it was gone already.
 */
export const replay: Script = new Script(`
  if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
  return 1
`);

/**
 * Forgets what is old enough, and what a longer stream than wanted begins with; but nothing that a group has still to
 * handle, unless it may.
 *
 * KEYS: streams. ARGV: most entries or '', most age in ms or '', '1' when what is unread may go. Returns how many went.
 */
export const trim: Script = new Script(`${LUA_BEFORE}
  local function oldestUnhandled(stream)
    local oldest
    for _, list in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local group = {}
      for i = 1, #list, 2 do group[list[i]] = list[i + 1] end
      local stands = group['last-delivered-id']
      if group.pending > 0 then stands = redis.call('XPENDING', stream, group.name)[2] end
      if not oldest or before(stands, oldest) then oldest = stands end
    end
    return oldest
  end
  local time = redis.call('TIME')
  local gone = 0
  for _, stream in ipairs(KEYS) do
    if redis.call('EXISTS', stream) == 1 then
      local bound = ARGV[3] ~= '1' and oldestUnhandled(stream) or nil
      local function forget(position)
        if bound and before(bound, position) then position = bound end
        gone = gone + redis.call('XTRIM', stream, 'MINID', position)
      end
      if ARGV[2] ~= '' then
        forget(string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2]))
      end
      local excess = ARGV[1] ~= '' and redis.call('XLEN', stream) - ARGV[1] or 0
      if excess > 0 then
        local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(excess + 1, 1001))
        forget(entries[#entries][1])
      end
    end
  end
  return gone
`);
