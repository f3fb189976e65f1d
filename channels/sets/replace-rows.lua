-- Replaces a set by few rows, unless it was replaced with an equal or higher fence.
-- KEYS: the set, its fence. ARGV: the fence; scores and members in turn.
local kept = redis.call('GET', KEYS[2])
if kept and tonumber(ARGV[1]) <= tonumber(kept) then
  return 0
end
redis.call('DEL', KEYS[1])
if #ARGV > 1 then
  redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
end
redis.call('SET', KEYS[2], ARGV[1])
return 1
