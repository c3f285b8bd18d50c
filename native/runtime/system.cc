// Allocator settings, kernel file locks and files as memory.
#include "runtime/system.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace clha {

void keep_freed_memory() {
#ifdef __GLIBC__
  // Tensors of this size have an allocator of their own. Buffers for generated code are hardly filled: mapped, they cost what they hold.
  mallopt(M_MMAP_THRESHOLD, 192 << 10);
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

namespace {
// A file that was cut short has pages that can't be read: the kernel says so by a signal, wherever the weights are used.
void file_was_cut(int) {
  static const char text[] =
      "error: a file of weights became shorter while it was in use\n  hint: replace files of a model by new ones, never in place\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(2);
}
}  // namespace

Mapping map_file(int fd, size_t offset, size_t bytes) {
  static const bool once = (std::signal(SIGBUS, file_was_cut), true);
  (void)once;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), before = offset % page;
  void* start = mmap(nullptr, before + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, static_cast<off_t>(offset - before));
  if (start == MAP_FAILED) throw std::runtime_error(std::string("mapFile: ") + std::strerror(errno));
  return {start, before + bytes, static_cast<char*>(start) + before};
}

void unmap(const Mapping& mapping) { munmap(mapping.start, mapping.length); }

}  // namespace clha
