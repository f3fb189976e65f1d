-- Marks a list as whole if the word given when its mending began is still there.
-- KEYS: the marker, the word's key. ARGV: the word.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], '1')
return 1
