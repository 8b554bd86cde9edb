extension Script {
    // What keeps overrides: asked rarely, so these are sent as text each time.
    //
    // Keys, in one slot: the version, `<number> <time in µs of the change that made it>`; a hash of values,
    // `<when it was set, in µs> <when it expires, 0: never> <JSON>`; a sorted set of the latest records by number,
    // `<number> <time in µs> <action>`, the value before and the one after (empty: none), and JSON of who asked, a line each.

    private static let overridePrologue = #"""
        local call, format, match = redis.call, string.format, string.match
        local time = call('TIME')
        local now = time[1] * 1000000 + time[2]
        local version = call('MGET', KEYS[1])[1] or ''
        local number = tonumber(match(version, '^(%d+) ')) or 0
        -- What this replica knows to have been there. Less: the store lost it.
        local base = tonumber(ARGV[1])

        local function record(action, before, after, author)
          local head = format('%.0f %.0f %s', number, now, action)
          call('ZADD', KEYS[3], format('%.0f', number), head .. '\n' .. before .. '\n' .. after .. '\n' .. author)
        end
        local function finish(most)
          version = format('%.0f %.0f', number, now)
          call('SET', KEYS[1], version)
          call('ZREMRANGEBYSCORE', KEYS[3], '-inf', format('%.0f', number - most))
          return version
        end

        """#

    /// Sets an override.
    static let setOverrideText = "#!lua\n" + changeOverrideBody

    /// Removes an override, or removes it if it has expired: also from a Redis that has no memory left, where that is a way to get some.
    /// The record is small, and there are not more of them for it than there may be.
    static let removeOverrideText = "#!lua flags=allow-oom\n" + changeOverrideBody

    ///
    /// Arguments: the version's number as it is known; `set`, `removed` or `expired` (if it has); the field; when it expires; the value's JSON;
    /// the author's JSON; the most overrides and the most records there may be. Answers what became of it, `done`, `none`,
    /// `past`, `early`, `full` or `lost`, the value before, and the version.
    private static let changeOverrideBody =
        overridePrologue + #"""
            if number < base then return {'lost', '', version} end
            local action, field = ARGV[2], ARGV[3]
            local before = call('HMGET', KEYS[2], field)[1]
            local after = ''
            if action == 'set' then
              local expires = tonumber(ARGV[4])
              if expires > 0 and expires <= now then return {'past', '', version} end
              if not before and call('HLEN', KEYS[2]) >= tonumber(ARGV[7]) then return {'full', '', version} end
              after = format('%.0f', now) .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
            elseif not before then
              return {'none', '', version}
            elseif action == 'expired' then
              local expires = tonumber(match(before, '^%d+ (%d+) ')) or 0
              if expires == 0 then return {'none', '', version} end
              if expires > now then return {'early', '', version} end
            end
            number = number + 1
            -- The first write is the one that may fail, where there is no room.
            record(action, before or '', after, ARGV[6])
            if after == '' then call('HDEL', KEYS[2], field) else call('HSET', KEYS[2], field, after) end
            return {'done', before or '', finish(tonumber(ARGV[8]))}
            """#

    /// Brings back what the store has lost and this replica knows. What was set later than it knows stays, and what it knows to
    /// have been removed goes.
    ///
    /// The number becomes that of the last change up to which the replica knows all, and no greater: a replica that knows of later
    /// ones still finds them lost, and brings them back too. The time is another, so that all read what there is now.
    ///
    /// Arguments: the greatest number that is known; the number and time of the version up to which all is known; the most records;
    /// then fields and values in turn.
    static let restoreOverridesText =
        "#!lua\n" + overridePrologue + #"""
            if number >= base then return version end
            local all, all_time = tonumber(ARGV[2]), tonumber(ARGV[3])
            -- Otherwise somebody who knew more was here before, and only later changes of this replica's own can be missing.
            local is_behind = number < all
            if is_behind then number = all end
            local stored = call('HGETALL', KEYS[2])
            local have, known = {}, {}
            for i = 1, #stored, 2 do have[stored[i]] = stored[i + 1] end
            local function set_at(value) return tonumber(match(value, '^(%d+) ')) or 0 end
            for i = 5, #ARGV, 2 do
              local field, value = ARGV[i], ARGV[i + 1]
              local own = have[field]
              known[field] = true
              if (is_behind or set_at(value) > all_time) and (not own or set_at(own) < set_at(value)) then
                record('restored', own or '', value, '')
                call('HSET', KEYS[2], field, value)
              end
            end
            for field, value in pairs(have) do
              if not known[field] and set_at(value) <= all_time then call('HDEL', KEYS[2], field) end
            end
            return finish(tonumber(ARGV[4]))
            """#

    /// The version, and fields and values in turn: also where Redis takes no writes.
    static let readOverridesText = #"""
        #!lua flags=no-writes
        return {redis.call('MGET', KEYS[1])[1] or '', redis.call('HGETALL', KEYS[2])}
        """#
}
