-- Puts what was written beside a set in its place, unless it was replaced with an equal or higher fence.
-- What goes is freed in the background.
-- KEYS: the set, its fence, what was written (absent: no rows). ARGV: the fence.
local kept = redis.call('GET', KEYS[2])
if kept and tonumber(ARGV[1]) <= tonumber(kept) then
  redis.call('UNLINK', KEYS[3])
  return 0
end
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('RENAME', KEYS[3], KEYS[1])
  redis.call('PERSIST', KEYS[1])
end
redis.call('SET', KEYS[2], ARGV[1])
return 1
