/** Limits of the guest builder. Each is the default; none is reached by the packages of the recipe. */

/** Downloads in flight at once: enough to hide a mirror's latency, few enough to be a polite client. */
export const MAX_PARALLEL_DOWNLOADS = 4;

/** Attempts per file before the build fails: mirrors drop connections now and then, a third time is no accident. */
export const MAX_DOWNLOAD_ATTEMPTS = 3;

/** Milliseconds before the second attempt, twice as many before the third: a restarting mirror needs a moment. */
export const DOWNLOAD_RETRY_DELAY_MS = 500;

/** Milliseconds without a byte after which a connection is given up: slow lines still send something in that time. */
export const DOWNLOAD_IDLE_TIMEOUT_MS = 30_000;

/** Slowest transfer that is waited for, in bytes a second on average: a modem's, so that a trickle cannot hold the build. */
export const MIN_DOWNLOAD_BYTES_PER_SECOND = 2048;

/** Milliseconds of a transfer before its average counts: a proxy may scan a file before it sends more than a trickle. */
export const DOWNLOAD_GRACE_MS = 60_000;

/** HTTP redirects followed for one file: mirror redirectors use one or two. */
export const MAX_REDIRECTS = 5;

/** Largest InRelease accepted, in bytes: Debian's is 150 kB, and it is read before anything vouches for it. */
export const MAX_RELEASE_BYTES = 4 << 20;

/** Signatures of one InRelease that are looked at: Debian makes two or three, and each costs a public-key operation. */
export const MAX_RELEASE_SIGNATURES = 16;

/** Largest Packages file accepted, in bytes as it is fetched: Debian's has 9 MB. */
export const MAX_INDEX_BYTES = 64 << 20;

/** Largest Packages file accepted, in bytes unpacked: Debian's has 45 MB. */
export const MAX_INDEX_UNPACKED_BYTES = 256 << 20;

/** Milliseconds that an index may be ahead of this machine's clock: a day allows for a wrong time zone. */
export const MAX_CLOCK_SKEW_MS = 24 * 3_600_000;

/** Largest lock file accepted, in bytes: ours has 40 kB. */
export const MAX_LOCK_BYTES = 4 << 20;

/** Largest keyring accepted, in bytes: Debian's has 60 kB. */
export const MAX_KEYRING_BYTES = 4 << 20;

/** Largest package accepted, in bytes of the .deb: the kernel's has 52 MB, and it is held in memory. */
export const MAX_PACKAGE_BYTES = 128 << 20;

/** Largest package accepted, in bytes unpacked: the kernel's has 190 MB, and it is unpacked in memory. */
export const MAX_PACKAGE_UNPACKED_BYTES = 512 << 20;

/** Files accepted in one package: the kernel's has 4500. */
export const MAX_PACKAGE_FILES = 100_000;

/** Largest file accepted inside a package, in bytes: the biggest one in use (libgtk-3) has 11 MB. */
export const MAX_PACKAGE_FILE_BYTES = 64 << 20;

/** Largest font accepted, in bytes unpacked: the biggest of X's bitmap fonts has 4 MB. */
export const MAX_FONT_BYTES = 32 << 20;

/** Largest unpacked kernel accepted, in bytes: Debian's 686 kernel has 16 MB and the guest only 256 MiB of RAM. */
export const MAX_KERNEL_BYTES = 64 << 20;

/** Largest manifest of a built guest accepted, in bytes: the desktop's has 14 kB. */
export const MAX_MANIFEST_BYTES = 1 << 20;
