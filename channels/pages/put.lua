-- Keeps a page unless a higher version of its epoch is kept, and notes it in the contest's index, which lasts
-- as long as the last page in it.
-- KEYS: the page, the index. ARGV: page, epoch, version, bytes, ms until it runs out (0: never).
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'version')
if kept[1] == ARGV[2] and tonumber(ARGV[3]) < tonumber(kept[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'version', ARGV[3], 'bytes', ARGV[4])
local left = redis.call('PTTL', KEYS[2])
redis.call('SADD', KEYS[2], ARGV[1])
if ARGV[5] == '0' then
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if left == -2 or (left >= 0 and left < tonumber(ARGV[5])) then
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
  end
end
return 1
