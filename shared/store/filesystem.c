#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/filesystem.h"

#define MAGIC_FUSE 0x65735546u

static const struct {
	uint32_t magic;
	const char *name;
} network[] = {
    {0x00006969u, "NFS"},
    {0xff534d42u, "CIFS"},
    {0xfe534d42u, "SMB2"},
    {0x0000517bu, "SMB"},
    {0x01021997u, "9p"},
    {0x00c36400u, "Ceph"},
    {0x5346414fu, "AFS"},
    {0x6b414653u, "AFS"},
    {0x73757245u, "Coda"},
    {0x0bd00bd0u, "Lustre"},
    {0x47504653u, "GPFS"},
    {0x19830326u, "BeeGFS"},
    {0x7461636fu, "OCFS2"},
    {0x01161970u, "GFS2"},
};

/* FUSE file systems whose octets are on this machine; any other may be anywhere. */
static const char *const local_fuse[] = {"fuseblk", "fuse.fuse-overlayfs"};

const char *
filesystem_network_name(uint32_t magic, const char *fuse_type)
{
	size_t i;

	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if (network[i].magic == magic)
			return network[i].name;
	if (magic != MAGIC_FUSE)
		return NULL;
	for (i = 0; i < sizeof(local_fuse) / sizeof(local_fuse[0]); i++)
		if (fuse_type != NULL && strcmp(fuse_type, local_fuse[i]) == 0)
			return NULL;
	return fuse_type != NULL ? fuse_type : "FUSE";
}

static void
directory_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(out, PATH_MAX, ".");
	else if (slash == path)
		snprintf(out, PATH_MAX, "/");
	else
		snprintf(out, PATH_MAX, "%.*s", (int)(slash - path), path);
}

/* The type that /proc/self/mountinfo has for a device: "ID PARENT MAJOR:MINOR … - TYPE SOURCE OPTIONS". */
static bool
mount_type(dev_t device, char out[64])
{
	char line[4096], want[32];
	const char *dash;
	bool found = false;
	FILE *f;

	if ((f = fopen("/proc/self/mountinfo", "re")) == NULL)
		return false;
	snprintf(want, sizeof(want), " %u:%u ", major(device), minor(device));
	while (!found && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, want) != NULL && (dash = strstr(line, " - ")) != NULL)
			found = sscanf(dash + 3, "%63s", out) == 1;
	fclose(f);
	return found;
}

bool
filesystem_is_local(const char *path, struct errbuf *why)
{
	char directory[PATH_MAX], type[64];
	const char *name, *fuse_type = NULL;
	struct statfs fs;
	struct stat st;

	/* The file itself where it is there: its directory may hold a symbolic link to elsewhere. */
	if (statfs(path, &fs) != 0) {
		directory_of(path, directory);
		path = directory;
		if (statfs(path, &fs) != 0) {
			errbuf_errno(why, "directory %s", path);
			return false;
		}
	}
	if ((uint32_t)fs.f_type == MAGIC_FUSE && stat(path, &st) == 0 &&
	    mount_type(st.st_dev, type))
		fuse_type = type;
	if ((name = filesystem_network_name((uint32_t)fs.f_type, fuse_type)) == NULL)
		return true;
	errbuf_set(why,
	    "database %s: on a network file system (%s), where locks do not hold; "
	    "want a local disk (SCEP_DATABASE)",
	    path, name);
	return false;
}

int64_t
filesystem_free(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0)
		return -1;
	return (int64_t)(fs.f_bavail * fs.f_frsize);
}

int
filesystem_open(const char *path, int flags, mode_t mode, struct errbuf *why)
{
	char directory[PATH_MAX];
	struct stat st;
	int fd;

	flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	if ((fd = open(path, flags)) >= 0)
		return fd;
	if (errno == ENOENT && (fd = open(path, flags | O_CREAT, mode)) >= 0) {
		directory_of(path, directory);
		if (geteuid() == 0 && stat(directory, &st) == 0 && st.st_uid != 0 &&
		    fchown(fd, st.st_uid, st.st_gid) != 0)
			errbuf_errno(why, "%s: cannot give it to the owner of %s", path, directory);
		return fd;
	}
	errbuf_errno(why, "cannot open %s", path);
	return -1;
}
