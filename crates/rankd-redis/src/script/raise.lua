-- Begins a new incarnation, unless another node has done so already.
--
-- KEYS: meta, stream. ARGV: the incarnation that lost writes, the least new one, nonce, time of
-- acceptance, entries that the stream keeps. Answer: 1 if it was begun.
local meta = redis.call('HMGET', KEYS[1], 'inc', 'seq', 'nonce', 'bytes')
if meta[1] ~= ARGV[1] then return 0 end
local sequence = string.format('%.0f', tonumber(meta[2]) + 1)
local incarnation = string.format('%.0f', math.max(tonumber(meta[1]) + 1, tonumber(ARGV[2])))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], sequence .. '-0', 'i', incarnation,
  'n', ARGV[3], 'p', meta[3], 't', ARGV[4], 'w', meta[4] or '0', 'c', '')
redis.call('HSET', KEYS[1], 'inc', incarnation, 'seq', sequence, 'nonce', ARGV[3])
return 1
