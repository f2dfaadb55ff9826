/** Limits of the guest builder. Each is the default; none is reached by the packages of the recipe. */

/** Downloads in flight at once: enough to hide a mirror's latency, few enough to be a polite client. */
export const MAX_PARALLEL_DOWNLOADS = 4;

/** Attempts per file before the build fails: mirrors drop connections now and then, a third time is no accident. */
export const MAX_DOWNLOAD_ATTEMPTS = 3;

/** Milliseconds without a byte after which a connection is given up: slow lines still send something in that time. */
export const DOWNLOAD_IDLE_TIMEOUT_MS = 30_000;

/** HTTP redirects followed for one file: mirror redirectors use one or two. */
export const MAX_REDIRECTS = 5;

/** Largest InRelease accepted, in bytes: Debian's is 150 kB, and it is read before anything vouches for it. */
export const MAX_RELEASE_BYTES = 4 << 20;

/** Largest file accepted inside a package, in bytes: the biggest one in use (libgtk-3) has 11 MB. */
export const MAX_PACKAGE_FILE_BYTES = 64 << 20;

/** Largest unpacked kernel accepted, in bytes: Debian's 686 kernel has 16 MB and the guest only 256 MiB of RAM. */
export const MAX_KERNEL_BYTES = 64 << 20;
