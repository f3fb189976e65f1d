-- Put before each of the bus's scripts.
--
-- KEYS[1] of all of them, `bus_epoch:{tag}`, holds "<run> <epoch>": the epoch of the log channels that share
-- the tag, and the run_id of the server process under which it was last seen. `run` is the run_id that the
-- caller's connection found behind itself, so it is always that of the process which runs this script. Where
-- the two differ the server was restarted, failed over or took the slot from another; where there is no key
-- it lost its memory: either way the epoch is raised here, in the same step as what is asked for, once for all
-- processes. No append can go on under an epoch that is over.
local function epoch_of(key, run)
  local kept = redis.call('GET', key)
  if kept and string.sub(kept, 1, #run + 1) == run .. ' ' then
    return string.sub(kept, #run + 2)
  end
  local now = redis.call('TIME')
  local epoch = string.format('%x', now[1] * 1000000 + now[2])
  redis.call('SET', key, run .. ' ' .. epoch)
  return epoch
end

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- A channel is two keys. `log:{tag}:<channel>`: a stream of its messages with the ids
-- <position>-<appended at, ms>. `ids:{tag}:<channel>`: a sorted set of the ids last appended with their
-- positions as scores, so the greatest score is the head; the empty member (no id is empty) holds, negated,
-- the window in which the channel began.
--
-- The window is what lets an idle channel be forgotten after `idle` ms although positions then start anew: a
-- channel that was forgotten and begins again does so in a later window (of that very length), and the window
-- is part of the channel's epoch. Windows of different channels end at different times (`phase`, 0 to 1).
local function window_at(ms, idle, phase)
  return math.floor(ms / idle + phase)
end

-- Head and window of a channel; head 0 and no window where there is none.
local function mark_of(ids)
  local last = redis.call('ZREVRANGE', ids, 0, 0, 'WITHSCORES')
  if not last[1] or last[1] == '' then
    return 0, nil
  end
  return tonumber(last[2]), -redis.call('ZSCORE', ids, '')
end

-- Lets go of messages appended before `before`; answers the oldest position left, or nil.
local function trimmed(stream, before)
  local count = 1
  while true do
    local some = redis.call('XRANGE', stream, '-', '+', 'COUNT', count)
    if #some == 0 then
      return nil
    end
    local position, at
    for index = 1, #some do
      position, at = string.match(some[index][1], '^(%d+)-(%d+)$')
      if tonumber(at) >= before then
        if index > 1 then
          redis.call('XTRIM', stream, 'MINID', position)
        end
        return tonumber(position)
      end
    end
    redis.call('XTRIM', stream, 'MINID', string.format('%.0f', position + 1))
    count = 16
  end
end
