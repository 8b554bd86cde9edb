#pragma once

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The system's resolver library asks, retries, falls back to TCP and parses; here its answers become flat records.

enum weir_dns_type { WEIR_DNS_A = ns_t_a, WEIR_DNS_AAAA = ns_t_aaaa, WEIR_DNS_SRV = ns_t_srv };

enum weir_dns_outcome {
    WEIR_DNS_FOUND = 0,
    /// There is no such name, or nothing of this type at it.
    WEIR_DNS_ABSENT = 1,
    /// No answer came, or none that can be used.
    WEIR_DNS_FAILED = 2
};

typedef struct weir_dns_server {
    /// AF_INET or AF_INET6.
    int32_t family;
    /// In the order of the network.
    uint8_t address[16];
    uint16_t port;
} weir_dns_server;

typedef struct weir_dns_record {
    uint16_t type;
    /// Nonzero: it came along with the answer without being asked for.
    uint16_t is_additional;
    uint32_t ttl;
    /// Of A and AAAA, in the order of the network.
    uint8_t address[16];
    /// Of SRV.
    uint16_t priority;
    uint16_t weight;
    uint16_t port;
    char target[NS_MAXDNAME];
    char name[NS_MAXDNAME];
} weir_dns_record;

typedef struct weir_dns_answer {
    weir_dns_record *records;
    int64_t capacity;
    int64_t count;
    /// The smallest of the answer's records, aliases included, in seconds.
    uint32_t ttl;
} weir_dns_answer;

static inline int weir_dns_use_servers(res_state state, const weir_dns_server *servers, int count) {
    for (int index = 0; index < state->nscount && index < MAXNS; index++) {
        free(state->_u._ext.nsaddrs[index]);
        state->_u._ext.nsaddrs[index] = NULL;
    }
    memset(state->nsaddr_list, 0, sizeof state->nsaddr_list);
    state->nscount = 0;
    for (int index = 0; index < count && index < MAXNS; index++) {
        state->_u._ext.nssocks[index] = -1;
        if (servers[index].family == AF_INET6) {
            struct sockaddr_in6 *address = (struct sockaddr_in6 *)calloc(1, sizeof *address);
            if (address == NULL) return -1;
            address->sin6_family = AF_INET6;
            address->sin6_port = htons(servers[index].port);
            memcpy(&address->sin6_addr, servers[index].address, 16);
            state->_u._ext.nsaddrs[index] = address;
            state->nsaddr_list[index].sin_family = 0;
        } else {
            state->nsaddr_list[index].sin_family = AF_INET;
            state->nsaddr_list[index].sin_port = htons(servers[index].port);
            memcpy(&state->nsaddr_list[index].sin_addr, servers[index].address, 4);
        }
        state->nscount++;
    }
    // Servers of one's own know names of one's own: those are whole.
    state->options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
    return 0;
}

static inline void weir_dns_add(weir_dns_answer *answer, ns_msg *message, ns_rr *record, int is_additional) {
    if (!is_additional && ns_rr_ttl(*record) < answer->ttl) answer->ttl = ns_rr_ttl(*record);
    if (ns_rr_class(*record) != ns_c_in || answer->count >= answer->capacity) return;
    weir_dns_record *out = &answer->records[answer->count];
    const uint8_t *data = ns_rr_rdata(*record);
    memset(out, 0, sizeof *out);
    switch (ns_rr_type(*record)) {
    case ns_t_a:
        if (ns_rr_rdlen(*record) != 4) return;
        memcpy(out->address, data, 4);
        break;
    case ns_t_aaaa:
        if (ns_rr_rdlen(*record) != 16) return;
        memcpy(out->address, data, 16);
        break;
    case ns_t_srv:
        if (ns_rr_rdlen(*record) < 7) return;
        out->priority = (uint16_t)ns_get16(data);
        out->weight = (uint16_t)ns_get16(data + 2);
        out->port = (uint16_t)ns_get16(data + 4);
        if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), data + 6, out->target, sizeof out->target) < 0) return;
        break;
    default: return;
    }
    out->type = (uint16_t)ns_rr_type(*record);
    out->is_additional = (uint16_t)is_additional;
    out->ttl = ns_rr_ttl(*record);
    strncpy(out->name, ns_rr_name(*record), sizeof out->name - 1);
    answer->count++;
}

static inline int weir_dns_parse(const uint8_t *bytes, int length, weir_dns_answer *answer) {
    ns_msg message;
    ns_rr record;
    if (ns_initparse(bytes, length, &message) < 0) return WEIR_DNS_FAILED;
    const ns_sect sections[] = {ns_s_an, ns_s_ar};
    for (int section = 0; section < 2; section++) {
        for (int index = 0; index < ns_msg_count(message, sections[section]); index++) {
            if (ns_parserr(&message, sections[section], index, &record) < 0) {
                if (section == 0) return WEIR_DNS_FAILED;
                break;
            }
            weir_dns_add(answer, &message, &record, section == 1);
        }
    }
    return WEIR_DNS_FOUND;
}

/// Asks for the records of one type at a name, and waits for the answer: twice `timeout_seconds` a server at most.
///
/// `server_count` 0: the system's servers and search list. `is_whole`: the search list is not used.
/// Returns one of `weir_dns_outcome`; `answer` holds records where it is FOUND.
static inline int weir_dns_ask(
    const weir_dns_server *servers, int server_count, int timeout_seconds, const char *name, int is_whole, int type,
    weir_dns_answer *answer
) {
    const int capacity = 65535;
    struct __res_state state;
    memset(&state, 0, sizeof state);
    answer->count = 0;
    answer->ttl = UINT32_MAX;
    if (res_ninit(&state) != 0) return WEIR_DNS_FAILED;
    state.retrans = timeout_seconds;
    state.retry = 2;
    int outcome = WEIR_DNS_FAILED;
    uint8_t *bytes = (uint8_t *)malloc(capacity);
    if (bytes != NULL && (server_count == 0 || weir_dns_use_servers(&state, servers, server_count) == 0)) {
        int length = is_whole ? res_nquery(&state, name, ns_c_in, type, bytes, capacity)
                              : res_nsearch(&state, name, ns_c_in, type, bytes, capacity);
        if (length >= 0) {
            outcome = weir_dns_parse(bytes, length > capacity ? capacity : length, answer);
        } else if (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA) {
            outcome = WEIR_DNS_ABSENT;
        }
    }
    free(bytes);
    res_nclose(&state);
    return outcome;
}
