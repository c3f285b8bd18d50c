// Allocator settings and kernel file locks.
#include "system.h"

#include <cerrno>
#include <cstring>
#include <set>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace clha {

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that glibc takes; tensors of this size have their own allocator
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  mallopt(M_ARENA_MAX, 2);
#endif
}

namespace {
std::set<int>& held() {
  static auto* locks = new std::set<int>();
  return *locks;
}
}  // namespace

int try_lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    held().insert(fd);
    return fd;
  }
  const int reason = errno;
  close(fd);
  if (reason == EWOULDBLOCK) return -1;
  throw std::runtime_error(path + ": " + std::strerror(reason));
}

void unlock(int fd) {
  if (held().erase(fd) == 0) throw std::invalid_argument("unlock: not a lock that tryLock returned");
  close(fd);
}

}  // namespace clha
