/* For an addon that runs elsewhere: of functions that glibc has in two versions, the one that glibc 2.28 knows. */
#if defined(__linux__) && defined(__x86_64__)
__asm__(".symver exp,exp@GLIBC_2.2.5");
__asm__(".symver log,log@GLIBC_2.2.5");
__asm__(".symver pow,pow@GLIBC_2.2.5");
__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dladdr,dladdr@GLIBC_2.2.5");
__asm__(".symver dladdr1,dladdr1@GLIBC_2.3.3");
__asm__(".symver pthread_setname_np,pthread_setname_np@GLIBC_2.12");
/* libstdc++ counts references without atomics where the process has one thread; glibc tells that since 2.32 only. */
extern "C" {
extern char __libc_single_threaded __attribute__((weak, visibility("hidden")));
char __libc_single_threaded __attribute__((weak, visibility("hidden"))) = 0;
}
#endif
