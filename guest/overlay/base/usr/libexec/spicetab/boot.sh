# What both levels do first; sourced by /init.

. /usr/libexec/spicetab/common.sh

# Ends everything, then the machine: $1 is poweroff, reboot or halt. The marker tells the host that what it would save now ends too.
down() {
    trap '' USR1 USR2 TERM INT
    mark down
    echo "The system goes down: $1" >/dev/kmsg
    kill -TERM -1
    i=0
    while [ $i -lt 25 ] && pidof Xorg >/dev/null; do
        sleep 0.2
        i=$((i + 1))
    done
    sleep 0.5
    kill -KILL -1
    sync
    busybox "$1" -f
}

# What busybox's poweroff, halt and reboot send to init, and the kernel for Ctrl+Alt+Del.
trap 'down poweroff' USR2
trap 'down halt' USR1
trap 'down reboot' TERM INT

# Waits for ever. The sleep is in the background because a signal is heard only between two commands.
rest() {
    while :; do
        wait
        sleep 60 &
        wait $!
    done
}

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
# Without power_off the kernel would only halt.
while read -r module; do
    case $module in
    */apm.ko) insmod "$module" power_off=1 ;;
    *) insmod "$module" ;;
    esac
done </usr/lib/modules/boot.list
echo 0 >/proc/sys/kernel/ctrl-alt-del
/usr/libexec/spicetab/guest-agent &
mark modules
