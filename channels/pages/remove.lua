-- Removes some of a contest's pages and answers how many are left.
-- KEYS: the index. ARGV: what the keys of pages begin with, at most so many.
local pages = redis.call('SPOP', KEYS[1], ARGV[2])
for _, page in ipairs(pages) do
  redis.call('UNLINK', ARGV[1] .. page)
end
return redis.call('SCARD', KEYS[1])
