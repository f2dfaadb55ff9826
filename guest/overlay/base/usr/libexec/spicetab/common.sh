# Functions and environment shared by init and the session; sourced.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/lib/xorg
export HOME=/root USER=root LANG=C.UTF-8 ENV=/etc/shrc XCOMPOSEFILE=/etc/X11/Compose

# Tells the serial log, the screen and dmesg how far the boot is.
mark() {
    read -r up _ </proc/uptime
    echo "GUEST $1 uptime=$up" >/dev/kmsg
}
