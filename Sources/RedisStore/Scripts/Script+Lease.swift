import LimiterCore

extension Script {
    /// Takes notice of what one replica took from counters, and grants it more; sending a call twice changes nothing.
    ///
    /// Keys: for each counter itself and its ledger, a hash of what came to whom: replica -> packed window (of a bucket: which totals these are),
    /// units taken in it, units taken in the one before, the sequence number of the last call, its demand and its time, and of a
    /// bucket what it held afterwards and since which epoch; and `*` -> packed
    /// epoch, the demand of all who called in it and in the one before, and the time of the last tidying.
    /// Arguments: the clock and 0, packed; the replica; the counters, 152 bytes each: the rule and the carried state as
    /// `DecisionFormat` packs them; window number, total taken, settled, the same two of the window before, wanted,
    /// demand in thousandths of a unit a second, sequence number, 1 where nobody holds leases of the counter, and what the replica
    /// holds; or, where it gives that back, -1.
    ///
    /// Of a total, what the ledger has counts already. What was taken in the window before goes to the rest, what is older
    /// is dropped. A bucket owes at most its capacity. A ledger with more than the replica knows of means that a reply was lost:
    /// the replica is told again, and nothing is granted beside it. While all that want may have all they want, they get it; otherwise
    /// each gets a part of what is left by its demand.
    /// Answers `[now in µs]` alone, and has done nothing, where that is outside a calendar period; otherwise, for each counter `[position, count, rest, generation, taken in the state's window, µs until it is worth asking again]`, the
    /// state afterwards.
    static let leaseText = #"""
        #!lua
        local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
        local call, pack, unpacked, sub, rep = redis.call, struct.pack, struct.unpack, string.sub, string.rep
        local most = 4503599627370496
        local now = unpacked('>dd', ARGV[1])
        \#(clock)
        local replica, question = ARGV[2], ARGV[3]
        local out = {now}

        \#(bucketFunctions)
        \#(calendarFunctions)

        for i = 1, #KEYS / 2 do
          local flags, _, _, period, start = unpacked('>ddddd', question, 152 * i - 151)
          if flags >= 4 and (now < start * 1000000 or now >= (start + period) * 1000000) then return {now} end
        end

        for i = 1, #KEYS / 2 do
          local key, ledger = KEYS[2 * i - 1], KEYS[2 * i]
          local flags, limit, refill, period, tick, cp, cc, cr, cg = unpacked('>ddddddddd', question, 152 * i - 151)
          local position, total, settled, previous_total, previous_settled, wanted, demand, sequence, is_exact, holds =
            unpacked('>dddddddddd', question, 152 * i - 79)
          local is_window = flags % 2 == 0
          local state = call('MGET', key)[1]
          local records = call('HMGET', ledger, replica, '*')

          -- What the ledger says of this replica, and of everybody's demand.
          local recorded, taken, taken_before, last, last_demand, last_time = position, 0, 0, 0, 0, 0
          local last_lease, last_epoch = 0, 0
          local is_known = records[1] and #records[1] == 64
          if is_known then
            recorded, taken, taken_before, last, last_demand, last_time, last_lease, last_epoch =
              unpacked('>dddddddd', records[1])
          end
          local has_totals = is_known and (is_window or recorded == position)
          local is_news = sequence > last
          -- What was granted is in the ledger, or comes back by the totals; units may have been given back since.
          if is_known and is_exact == 0 then cp = -1 end
          local demand_epoch, demands, demands_before, tidied = floor(now / 200000), 0, 0, now
          if records[2] and #records[2] == 32 then
            local known_epoch, current, before
            known_epoch, current, before, tidied = unpacked('>dddd', records[2])
            if known_epoch == demand_epoch then
              demands, demands_before = current, before
            elseif known_epoch == demand_epoch - 1 then
              demands_before = current
            end
          end
          if is_news then
            local is_counted = is_known and floor(last_time / 200000) == demand_epoch
            demands = max(0, demands - (is_counted and last_demand or 0)) + demand
          end

          -- What is new of the totals.
          local known, known_before = 0, 0
          if has_totals then
            if recorded == position then
              known, known_before = taken, taken_before
            elseif recorded == position - 1 then
              known_before = taken
            elseif recorded == position + 1 then
              known = taken_before
            end
          elseif not is_window then
            known = settled
          end
          local news = is_news and max(0, total - known) or 0
          local news_before = is_news and max(0, previous_total - known_before) or 0

          local p, c, r, g, life, head, available, left
          local epoch, held, held_before = 0, 0, 0
          local window, top, past
          if flags >= 4 then
            window, top, head = period * 1000000, most, refill
            \#(calendarState)
            if p < position and is_news and total > 0 then
              r, past = calendar_moved(c, r, past, position - p)
              p, c = position, 0
            end
          elseif is_window then
            window, top = period * tick, floor(9007199254740992 / period)
            head = floor(now / window)
            \#(windowState)
            if p < position and is_news and total > 0 then p, c, r = position, 0, p == position - 1 and c or 0 end
          end
          if is_window then
            if p == position then
              c, r = c + news, r + news_before
            elseif p == position + 1 then
              r = r + news
            end
            -- What is carried was seen before these were taken that are news.
            local unseen = min(news, total - settled)
            if cp == position then
              cc, cr = cc + unseen, cr + min(news_before, previous_total - previous_settled)
            elseif cp == position + 1 then
              cr = cr + unseen
            end
            if past then
              \#(calendarCarried)
            else
              \#(windowCarried)
            end
            c, r = min(c, most - 1), min(r, top)
          else
            head = floor(now / tick)
            \#(bucketState)
            c, cc = max(-limit, c - news), cc - min(news, total - settled)
            \#(bucketCarried)
            \#(bucketHeld)
          end

          -- What this replica took in the window where the state is.
          local current = is_window and p or position
          local now_taken, now_before = 0, 0
          if current == position then
            now_taken, now_before = max(known, total), max(known_before, previous_total)
          elseif current == position + 1 then
            now_taken, now_before = is_known and recorded == current and taken or 0, max(known, total)
          elseif is_known and recorded == current then
            now_taken, now_before = taken, taken_before
          elseif is_known and recorded == current - 1 then
            now_before = taken
          end
          if not is_news then
            now_taken = is_known and (recorded == current and taken or recorded == current + 1 and taken_before) or 0
          end

          local retry, lease = 0, 0
          if is_news then
            local lost = now_taken - (current == position and total or 0)
            if not is_window and lost > 0
              and (last_lease == 0 or last_epoch + 1 < floor(p * tick / \#(leaseEpoch))) then
              -- The replica was never told of a lease that has ended since: what it was has come back to the bucket.
              now_taken, lost = total, 0
            end
            if holds < 0 then
              if lost > 0 and current == position then
                now_taken = total
                if is_window then
                  c = max(0, c - lost)
                else
                  c = c + lost
                end
              end
            elseif position > current then
              -- Its window has not begun here.
              retry = 20000
            else
              local grant = 0
              if lost <= 0 and wanted > 0 then
                if past then
                  local start = tick * 1000000 + (p - refill) * window
                  left, available = start + window - max(now, start), limit - c
                elseif is_window then
                  local start = p * window
                  left = window
                  if now > start then left = start + window - now end
                  available = limit - c
                  if r > 0 then available = available - ceil(r * ceil(left / tick) / period) end
                else
                  left, available = 200000, c
                end
                local all = max(demands, demands_before, demand)
                grant = min(wanted, available)
                if all > 0 and all * min(left, 200000) / 1000000000 > available then
                  grant = min(grant, ceil(max(0, available) * demand / all))
                end
                grant = max(0, grant)
                if grant < wanted then
                  local unit = is_window and window / limit or period * tick / refill
                  retry = min(1000000, max(20000, floor(demand > 0 and unit * all / demand or unit)))
                end
                c = is_window and c + grant or c - grant
                now_taken = now_taken + grant
              end
              if not is_window then lease = max(0, lost) + holds + grant end
            end
            if not is_window and (lease > 0 or last_lease > 0) then
              -- What this replica held before is held anew, spent, or given back.
              local now_epoch = max(epoch, floor(p * tick / \#(leaseEpoch)))
              if now_epoch > epoch then
                epoch, held, held_before = now_epoch, 0, now_epoch == epoch + 1 and held or 0
              end
              if last_epoch == epoch then
                held = max(0, held - last_lease)
              elseif last_epoch == epoch - 1 then
                held_before = max(0, held_before - last_lease)
              end
              held = min(limit, held + lease)
              held_before = min(held_before, limit - held)
            end
          end

          if not is_window and c >= limit - held - held_before then c, r = limit - held - held_before, 0 end

          local kept
          if past then
            life = ceil((tick * 1000000 + window - now + \#(calendarKept) * window) / 1000)
            kept = life
            call('SET', key, pack('>dddd', p, c, r, g) .. past, 'PX', life)
          elseif is_window then
            life = ceil((p * window + 2 * window - max(now, p * window)) / 1000)
            kept = life + 60000
            call('SET', key, pack('>dddd', p, c, r, g), 'PX', life)
          else
            life = bucket_life(c, r, g, limit, refill, period, tick, epoch, held, held_before)
            kept = max(life, 3600000)
            call('SET', key, bucket_packed(p, c, r, g, period, epoch, held, held_before), 'PX', life)
          end
          if is_news then
            if tidied > now or now - tidied >= 10000000 then
              -- Records of processes that ended long ago.
              if call('HLEN', ledger) > 64 then
                local all = call('HGETALL', ledger)
                for j = 1, #all, 2 do
                  local at = #all[j + 1] == 64 and unpacked('>d', all[j + 1], 41) or now
                  if at < now - kept * 1000 then call('HDEL', ledger, all[j]) end
                end
              end
              tidied = now
            end
            call('HSET', ledger, replica, pack('>dddddddd', current, now_taken, now_before, sequence, demand, now, lease, epoch),
              '*', pack('>dddd', demand_epoch, demands, demands_before, tidied))
            call('PEXPIRE', ledger, kept)
          end
          local z = 6 * i - 4
          out[z], out[z + 1], out[z + 2], out[z + 3], out[z + 4], out[z + 5] = p, c, r, g, now_taken, retry
        end
        return out
        """#
}
