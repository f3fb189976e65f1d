-- Reads a log channel.
--
-- KEYS: epoch, stream, ids
-- ARGV: run, age in ms, idle in ms, phase, since, limit, bytes at most
-- Answers {epoch, head, first, then position, id, at, data of each message}.
local stream, ids = KEYS[2], KEYS[3]
local since, limit, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local now = now_ms()
local head, window = mark_of(ids)
local epoch = epoch_of(KEYS[1], ARGV[1]) .. '.' .. (window or window_at(now, ARGV[3], ARGV[4]))
if head == 0 then
  return {epoch, 0, 1}
end
local first = trimmed(stream, now - ARGV[2])
local answer = {epoch, head, first or head + 1}
if not first or since >= head then
  return answer
end
local from = math.max(since + 1, first)
while limit > 0 and bytes > 0 do
  local some = redis.call('XRANGE', stream, string.format('%.0f', from), '+', 'COUNT', math.min(limit, 32))
  for _, entry in ipairs(some) do
    local position, fields = string.match(entry[1], '^(%d+)'), entry[2]
    answer[#answer + 1] = tonumber(position)
    answer[#answer + 1] = fields[2]
    answer[#answer + 1] = fields[4]
    answer[#answer + 1] = fields[6]
    bytes = bytes - #fields[6]
    from = position + 1
    if bytes <= 0 then
      break
    end
  end
  if #some < math.min(limit, 32) then
    break
  end
  limit = limit - #some
end
return answer
