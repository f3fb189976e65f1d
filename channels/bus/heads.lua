-- Heads of log channels that share a tag.
--
-- KEYS: epoch, then the ids of each channel
-- ARGV: run, idle in ms, then the phase of each channel
-- Answers {epoch, then window and head of each}.
local now = now_ms()
local answer = {epoch_of(KEYS[1], ARGV[1])}
for n = 2, #KEYS do
  local head, window = mark_of(KEYS[n])
  answer[#answer + 1] = window or window_at(now, ARGV[2], ARGV[n + 1])
  answer[#answer + 1] = head
end
return answer
