// Preloaded under valgrind. Up to 3.19 it writes to the mask that sigsuspend is given, and dies where that is read-only, as
// libdispatch's is: give it a copy.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, _NSIG / 8);
}
