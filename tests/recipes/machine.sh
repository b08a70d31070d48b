#!/usr/bin/env bash
# Runs a command on a machine of its own: this one's files, those of LAYER on top, or those of LAYER alone where it is a
# whole system; and whatever is written goes away.
#
#     unshare --mount tests/recipes/machine.sh LAYER COMMAND...
#     unshare --mount --net --uts --pid --fork --kill-child tests/recipes/machine.sh --alone LAYER COMMAND...
#
# LAYER is a tar that tests/machines made, or empty. All mounts are below /mnt of the caller's own namespace. One that
# is alone is called host.example, and its network is a loopback device.
set -euo pipefail

alone=
if [ "$1" = --alone ]; then alone=yes; shift; fi
layer=$1 repository=$(cd "$(dirname "$0")/../.." && pwd)
shift
root=/mnt/root
# A file system of its own: an overlay does not take a directory above which it lies.
mount -t tmpfs -o mode=755 machine /mnt
mkdir /mnt/upper /mnt/work "$root"
if [ -n "$layer" ]; then
    tar --extract --file "$layer" --xattrs --xattrs-include='trusted.*' --directory /mnt/upper
fi
if [ -e /mnt/upper/bin ]; then
    mount --bind /mnt/upper "$root"
else
    mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay "$root"
fi
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -m 1777 "$root/run/lock"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
# A /dev of its own too: who listens on its /dev/log hears this machine alone.
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir -m 1777 "$root/dev/shm"
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
# The repository and what is built from it, wherever they are.
for directory in "$repository" "${CARGO_TARGET_DIR:-$repository/target}"; do
    mkdir -p "$root/$directory"
    mount --bind "$directory" "$root/$directory"
done
if [ -n "$alone" ]; then
    ip link set lo up
    hostname host.example
    echo '127.0.0.1 host.example localhost' >"$root/etc/hosts"
    : >"$root/etc/resolv.conf"
fi
exec chroot "$root" "$@"
