/** The guests that can be built. */
export type Level = "console" | "desktop";

/** Both levels, smallest first. */
export const LEVELS: readonly Level[] = ["console", "desktop"];

/** What one level is made of. */
export interface LevelRecipe {
  /** Packages asked for; their dependencies follow. */
  roots: readonly string[];
  /** Packages never taken (a trailing `*` is a prefix); see `README.md` for why each group is dispensable. */
  excludes: readonly string[];
  /** Patterns (`*` within a folder, `**` across) of the files to keep; libraries and link targets follow. */
  seeds: readonly string[];
  /** Patterns of files that are dropped again. */
  drops: readonly string[];
  /** Kernel modules that init loads before anything else, in this order; dependencies follow. */
  modules: readonly string[];
  /** Folders below `overlay/`, later ones win. */
  overlays: readonly string[];
  /** Guest RAM in MiB. */
  memoryMiB: number;
}

/** Kernel of the guest; `*` is the ABI number, the newest is taken. Not signed: nothing in the guest enforces it. */
export const KERNEL_PACKAGE = "linux-image-6.1.0-*-686-unsigned";

/** Package of the BIOS and VGA BIOS images. */
export const FIRMWARE_PACKAGE = "seabios";

/**
 * Kernel command line. `nokaslr` is a must of the raw kernel (nothing relocates it); `rootfstype=ramfs` because a tmpfs
 * root is capped at half the RAM; the rest skips seconds of self-tests and probing that mean nothing in this machine.
 */
export const CMDLINE = [
  "console=ttyS0",
  "console=tty0",
  "nokaslr",
  "rootfstype=ramfs",
  "cryptomgr.notests=1",
  "noisapnp",
  "mitigations=off",
  "tsc=reliable",
  "random.trust_cpu=on",
  "initcall_blacklist=init_kprobe_trace,load_system_certificate_list,isapnp_init",
].join(" ");

/**
 * Wanted modules; what they depend on is read out of them. psmouse holds the VMware absolute pointer, apm switches the machine off,
 * pvpanic-pci tells it of a panic.
 */
const MACHINE_MODULES = [
  "apm",
  "pvpanic_pci",
  "virtio_pci",
  "virtio_console",
  "qxl",
  "psmouse",
  "evdev",
  "uinput",
];

/** Aids of maintainer scripts, init systems and data that nothing in the guest opens. */
const NEVER = [
  "linux-base",
  "kmod",
  "initramfs-tools",
  "linux-initramfs-tool",
  "dracut",
  "perl*",
  "debconf*",
  "dpkg",
  "tar",
  "systemd*",
  "init-system-helpers",
  "dbus*",
  "adduser",
  "passwd",
  "coreutils",
  "util-linux",
  "procps",
  "ucf",
  "sensible-utils",
  "x11-common",
  "lsb-base",
  "xserver-common",
  "keyboard-configuration",
  "console-setup*",
  "ca-certificates",
  "openssl",
  "menu",
  "man-db",
  "wget",
  // Mesa and GL drivers: there is no 3D hardware, and glvnd's front ends satisfy the linkers.
  "libgl1-mesa-dri",
  "libegl*",
  "libgbm1",
  "libglx-mesa0",
  "libllvm*",
  // icewm gets a stub of librsvg instead of 31 MB: see image/stub.ts.
  "librsvg2-2",
  "libicu72",
  "libxml2",
  "adwaita-icon-theme",
  "hicolor-icon-theme",
  "shared-mime-info",
  "gsettings*",
  "dconf*",
  "libgtk-3-common",
  "at-spi2*",
  "libcups2",
  "libcolord2",
  "ghostscript",
  "poppler-data",
  "libheif*",
  "libde265*",
  "libx265*",
  "libaom*",
  "libdav1d*",
  "libavif*",
  // Loaders of picture formats that nobody opens here, and the preprocessor that xrdb can do without.
  "libspectre1",
  "libjxl*",
  "libid3tag0",
  "cpp*",
  "rxvt-unicode",
  "fontconfig",
  "xfonts-utils",
  "xfonts-encodings",
  "icewm-lite",
] as const;

const CONSOLE: LevelRecipe = {
  roots: [KERNEL_PACKAGE, FIRMWARE_PACKAGE, "busybox-static"],
  excludes: NEVER,
  seeds: ["usr/bin/busybox"],
  drops: [],
  modules: MACHINE_MODULES,
  overlays: ["base", "console"],
  memoryMiB: 256,
};

const DESKTOP: LevelRecipe = {
  roots: [
    CONSOLE.roots,
    ["libc6", "libc-bin", "ncurses-base", "udev"],
    ["xserver-xorg-core", "xserver-xorg-video-qxl", "xserver-xorg-input-evdev"],
    ["x11-xkb-utils", "xkb-data", "libx11-data"],
    ["fonts-dejavu-core", "xfonts-base"],
    ["icewm", "icewm-common", "xterm", "x11-apps", "x11-utils", "x11-xserver-utils"],
    ["xfe", "dillo", "xgalaga", "xmahjongg", "xdemineur"],
    ["spice-vdagent"],
  ].flat(),
  excludes: NEVER,
  seeds: [
    "usr/bin/busybox",
    "usr/lib/i386-linux-gnu/libnss_files.so.2",
    "usr/lib/i386-linux-gnu/libnss_dns.so.2",
    "usr/share/terminfo/**",
    "usr/lib/terminfo/**",
    "etc/terminfo/**",
    // udev: the daemon, its control program, the helpers and the four rules that matter here.
    "usr/bin/udevadm",
    "usr/lib/systemd/systemd-udevd",
    "usr/lib/udev/rules.d/50-udev-default.rules",
    "usr/lib/udev/rules.d/60-input-id.rules",
    "usr/lib/udev/rules.d/60-evdev.rules",
    "usr/lib/udev/rules.d/70-spice-vdagentd.rules",
    // X: modules opened at run time are found by name, not by DT_NEEDED.
    "usr/lib/xorg/Xorg",
    "usr/lib/xorg/protocol.txt",
    ...["fb", "wfb", "shadow", "exa", "vgahw"].map((name) => `usr/lib/xorg/modules/lib${name}.so`),
    "usr/lib/xorg/modules/drivers/qxl_drv.so",
    "usr/lib/xorg/modules/drivers/modesetting_drv.so",
    "usr/lib/xorg/modules/input/evdev_drv.so",
    "usr/bin/xkbcomp",
    "usr/bin/setxkbmap",
    "usr/share/X11/{XErrorDB,rgb.txt}",
    "usr/share/X11/locale/*",
    "usr/share/X11/locale/{C,iso8859-1}/**",
    "usr/share/X11/locale/en_US.UTF-8/XLC_LOCALE",
    "usr/share/X11/xkb/**",
    "etc/X11/{app-defaults,fonts}/**",
    "usr/lib/locale/C.utf8/**",
    "usr/share/fonts/truetype/dejavu/DejaVuSans{,-Bold,Mono,Mono-Bold}.ttf",
    "usr/share/fonts/X11/misc/cursor.pcf.gz",
    "usr/share/fonts/X11/misc/{[5-9],10}x*-ISO8859-1.pcf.gz",
    "usr/share/pixmaps/*",
    "usr/share/icons/hicolor/128x128/apps/xmahjongg.png",
    // Desktop.
    "usr/bin/icewm",
    "usr/bin/icesh",
    "usr/share/icewm/icons/**",
    "usr/lib/i386-linux-gnu/imlib2/loaders/{png,xpm,xbm,jpeg,bmp,pnm,ff,argb}.so",
    ...[
      "xterm",
      "xclock",
      "xeyes",
      "xcalc",
      "xlogo",
      "xmag",
      "xload",
      "xev",
      "xwininfo",
      "xprop",
      "xdpyinfo",
    ].map((name) => `usr/bin/${name}`),
    ...["xset", "xsetroot", "xrdb", "xrandr", "xrefresh", "xmodmap", "x11perf"].map(
      (name) => `usr/bin/${name}`,
    ),
    ...["xfe", "xfwrite", "xfimage"].map((name) => `usr/bin/${name}`),
    "usr/share/xfe/xferc",
    "usr/share/xfe/icons/default-theme/**",
    "usr/bin/dillo",
    "usr/lib/i386-linux-gnu/dillo/**",
    "usr/libexec/dillo/*",
    "etc/dillo/**",
    ...["xgalaga", "xgal.sndsrv.*", "xmahjongg", "xdemineur"].map((name) => `usr/games/${name}`),
    "usr/share/games/**",
    "usr/lib/games/**",
    "usr/share/xmahjongg/**",
    "usr/bin/spice-vdagent",
    "usr/sbin/spice-vdagentd",
  ],
  drops: [
    // The machine has no network card yet, and TLS alone weighs 5 MB.
    "usr/lib/i386-linux-gnu/dillo/dpi/https/**",
    "usr/share/{doc,man,info,locale,lintian,bug,menu,applications}/**",
    "usr/share/X11/xkb/geometry/**",
    "usr/share/X11/xkb/rules/{*.xml,xkb.dtd,base.lst,xorg.lst,README}",
  ],
  modules: MACHINE_MODULES,
  overlays: ["base", "desktop"],
  memoryMiB: 256,
};

/** The recipe of each level. */
export const RECIPES: Readonly<Record<Level, LevelRecipe>> = { console: CONSOLE, desktop: DESKTOP };
