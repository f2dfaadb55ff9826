# What both levels do first; sourced by /init.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/games HOME=/root TERM=linux LANG=C.UTF-8 USER=root

# Tells the serial log, the screen and dmesg how far the boot is.
mark() {
    read -r up _ </proc/uptime
    echo "GUEST $1 uptime=$up" >/dev/kmsg
}

# Loads the modules of a list, in its order; one that the machine has no use for may fail.
load_modules() {
    while read -r module; do insmod "$module" 2>/dev/null; done <"/usr/lib/modules/$1.list"
}

# Keeps a shell on a terminal. cttyhack is no help: it takes the last console, whichever that is.
shell_on() {
    setsid sh -c "while :; do setsid sh -c 'exec sh -l <>/dev/$1 >&0 2>&1'; sleep 1; done" &
}

busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox --install -s
mkdir -p /dev/pts /dev/shm /run/udev /run/spice-vdagentd /tmp/.X11-unix /tmp/.ICE-unix /var/log /var/lib /root
chmod 1777 /tmp /tmp/.X11-unix /tmp/.ICE-unix
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sf /proc/self/fd /dev/fd
hostname -F /etc/hostname
ip link set lo up
mark init
load_modules early
mark modules
