extension Script {
    /// Notes that a replica is alive, and answers who else is.
    ///
    /// Keys: a sorted set of replicas by when they were last seen, in milliseconds; a hash of the most that were alive
    /// at one time, by minute; when this memory began, which another one does not know. Arguments: the clock and 0, packed; the replica.
    /// Answers `[now in µs, alive, this one's rank, peak of ten minutes, when this memory began in ms]`. The rank goes by name, so that it stays.
    static let heartbeatText = #"""
        #!lua
        local call = redis.call
        local now = struct.unpack('>dd', ARGV[1])
        \#(clock)
        -- Not every replica may know of a time that went on, so who is alive is noted at Redis's own.
        local seen = math.floor(clock / 1000)

        call('ZADD', KEYS[1], seen, ARGV[2])
        call('ZREMRANGEBYSCORE', KEYS[1], '-inf', seen - 10000)
        -- Where the clock went back, who is alive says so again; nobody else can have been seen in the future.
        call('ZREMRANGEBYSCORE', KEYS[1], seen + 10000, '+inf')
        call('PEXPIRE', KEYS[1], 60000)
        local replicas = call('ZRANGE', KEYS[1], 0, -1)
        local alive, rank = #replicas, 0
        for _, replica in ipairs(replicas) do
          if replica < ARGV[2] then rank = rank + 1 end
        end

        local minute = math.floor(seen / 60000)
        local peak, known = alive, 0
        local peaks = call('HGETALL', KEYS[2])
        for i = 1, #peaks, 2 do
          local at, count = tonumber(peaks[i]), tonumber(peaks[i + 1])
          if not at or not count or at <= minute - 10 or at > minute + 1 then
            call('HDEL', KEYS[2], peaks[i])
          else
            if at == minute then known = count end
            if count > peak then peak = count end
          end
        end
        if alive > known then call('HSET', KEYS[2], string.format('%.0f', minute), alive) end
        call('PEXPIRE', KEYS[2], 660000)

        local birth = tonumber(call('MGET', KEYS[3])[1] or '')
        if not birth or birth < 1 or birth % 1 ~= 0 then
          birth = math.max(1, seen)
          call('SET', KEYS[3], string.format('%.0f', birth))
        end
        -- Longer than any counter is kept.
        call('PEXPIRE', KEYS[3], 500000000000)
        return {now, alive, rank, peak, birth}
        """#
}
