// The few things asked of the operating system that Node does not offer.
#pragma once
#include <cstddef>
#include <string>

namespace clha {

// Tells the allocator to keep freed memory: large temporaries come back every step, page faults cost more than they.
void keep_freed_memory();

// An exclusive lock on a file that the kernel drops when the process dies. -1 when somebody else holds it.
int try_lock(const std::string& path);
void unlock(int fd);

// A part of a file as memory. What is written to it stays in this process.
struct Mapping {
  void* start;  // of its first page
  size_t length;
  void* data;
};
Mapping map_file(int fd, size_t offset, size_t bytes);
void unmap(const Mapping& mapping);

}  // namespace clha
