# What both levels do first; sourced by /init.

. /usr/libexec/spicetab/common.sh

# Keeps a shell on a terminal. cttyhack is no help: it takes the last console, whichever that is.
shell_on() {
    setsid sh -c "cd /root; while :; do setsid sh -c 'exec sh -l <>/dev/$1 >&0 2>&1'; sleep 1; done" &
}

busybox mkdir -p /dev /proc /sys /run /tmp
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox --install -s
mkdir -p /dev/pts /dev/shm /run/udev /run/spice-vdagentd /tmp/.X11-unix /tmp/.ICE-unix /var/log /var/lib/xkb /var/cache /root
chmod 1777 /tmp /tmp/.X11-unix /tmp/.ICE-unix
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sf /proc/self/fd /dev/fd
hostname -F /etc/hostname
ip link set lo up
mark init
while read -r module; do insmod "$module"; done </usr/lib/modules/boot.list
mark modules
