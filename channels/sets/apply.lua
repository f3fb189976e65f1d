-- Changes members of a set at once. Each member is named once, so the three kinds do not meet.
-- KEYS: the set. ARGV: how many to put, how many to put where they are members; their scores and members in
-- turn; the members to remove.
local puts = tonumber(ARGV[1])
local changes = tonumber(ARGV[2])
local at = 3
if puts > 0 then
  redis.call('ZADD', KEYS[1], unpack(ARGV, at, at + puts * 2 - 1))
  at = at + puts * 2
end
if changes > 0 then
  redis.call('ZADD', KEYS[1], 'XX', unpack(ARGV, at, at + changes * 2 - 1))
  at = at + changes * 2
end
if at <= #ARGV then
  redis.call('ZREM', KEYS[1], unpack(ARGV, at))
end
return 1
