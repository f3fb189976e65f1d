-- Appends messages to one log channel and publishes each, in one step.
--
-- KEYS: epoch, stream (also the topic), ids
-- ARGV: run, publish command, messages kept, ids kept, age in ms, idle in ms, phase; then id, at, data of each
-- Answers {epoch, position of each}.
local stream, ids = KEYS[2], KEYS[3]
local kept, known, age, idle = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = now_ms()
local head, window = mark_of(ids)
if not window then
  window = window_at(now, idle, ARGV[7])
  if redis.call('EXISTS', stream) == 1 then
    -- The ids live longer than the stream: they were taken away (evicted), and nobody knows the positions.
    redis.call('DEL', stream, KEYS[1])
  end
  redis.call('ZADD', ids, -window, '')
end
local epoch = epoch_of(KEYS[1], ARGV[1]) .. '.' .. window
local answer = {epoch}
local before = head
for n = 8, #ARGV, 3 do
  local id, at, data = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  local position = redis.call('ZSCORE', ids, id)
  if position then
    answer[#answer + 1] = tonumber(position)
  else
    head = head + 1
    position = string.format('%.0f', head)
    redis.call('XADD', stream, 'MAXLEN', kept, position .. '-' .. string.format('%.0f', now),
      'id', id, 'at', at, 'data', data)
    redis.call('ZADD', ids, position, id)
    redis.call(ARGV[2], stream, epoch .. ' ' .. position .. ' ' .. at .. ' ' .. #id .. '\n' .. id .. data)
    answer[#answer + 1] = head
  end
end
if head > before then
  -- What is too old or too many need not go at once: nobody is told of it any more.
  if math.floor(head / 16) > math.floor(before / 16) then
    trimmed(stream, now - age)
    redis.call('ZREMRANGEBYSCORE', ids, 1, head - math.max(kept, known))
  end
  redis.call('PEXPIRE', stream, age)
  redis.call('PEXPIRE', ids, idle)
end
return answer
